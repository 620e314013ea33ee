/**
 * Placeholders of job templates, `{{ name }}`: values are put in their place. A text that is nothing but one placeholder
 * becomes the value as it is; inside other text the value is written out.
 */

/** What a placeholder is filled with; undefined for nothing. */
export type Fill = (name: string) => unknown;

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;
/** References to blocks and variables are resolved last, see {@link resolveReferences}. */
const REFERENCE = /^prefect\.(?:blocks|variables)\./;
const ENVIRONMENT = "$";

/** Names of the placeholders in a text, in their order. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
}

/**
 * Fills the placeholders of a JSON value. What has no value disappears: the key of an object with its placeholder, a
 * placeholder inside a text without a trace. Filled values are not looked through for placeholders.
 */
export function fillPlaceholders(template: unknown, fill: Fill): unknown {
  if (typeof template === "string") return fillText(template, fill);
  if (Array.isArray(template)) {
    return template.map((item) => fillPlaceholders(item, fill)).filter((item) => item !== undefined);
  }
  if (typeof template !== "object" || template === null) return template;
  const entries = Object.entries(template).map(([key, value]) => [key, fillPlaceholders(value, fill)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function fillText(text: string, fill: Fill): unknown {
  const names = placeholdersIn(text);
  const [first] = names;
  if (first === undefined) return text;
  if (names.length === 1 && /^\{\{[^{}]*\}\}$/.test(text.trim())) return fill(first);
  return text.replace(PLACEHOLDER, (_, name: string) => asText(fill(name)));
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Fills from job variables and from the worker's environment (`{{ $NAME }}`). References to blocks and variables are
 * left as they are.
 */
export function fromVariables(variables: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Fill {
  return (name) => {
    if (REFERENCE.test(name)) return `{{ ${name} }}`;
    if (name.startsWith(ENVIRONMENT)) return env[name.slice(ENVIRONMENT.length)] ?? "";
    return Object.hasOwn(variables, name) ? (variables[name] ?? undefined) : at(variables, name.split("."));
  };
}

/** The value at a path inside a JSON value; undefined when there is none. */
export function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found ?? undefined;
}
