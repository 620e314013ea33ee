/** Which parameters of a flow are secret, as the JSON schema of its parameters says. */

type Json = Readonly<Record<string, unknown>>;

/** Stands for the value of a secret parameter where it is shown to somebody who may only look. */
export const HIDDEN = "********";

/** How far references and nesting are followed; schemas of parameters that somebody fills in end long before. */
const DEEPEST = 12;

/**
 * Names of the parameters that are secret, or hold something that is: `writeOnly`, or of the format "password", also
 * behind a `$ref` within the schema, in lists and in nested objects.
 */
export function secretParametersOf(schema: unknown): ReadonlySet<string> {
  const properties = isObject(schema) && isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  return new Set(properties.filter(([, one]) => holdsSecret(one, schema, DEEPEST)).map(([name]) => name));
}

/** A copy of the parameters in which those of these names are hidden. */
export function withoutSecrets<T extends Json>(parameters: T, secret: ReadonlySet<string>): T {
  if (secret.size === 0) return parameters;
  const shown = Object.entries(parameters).map(([name, value]) => [name, secret.has(name) ? HIDDEN : value]);
  return Object.fromEntries(shown) as T;
}

function holdsSecret(node: unknown, root: unknown, deepest: number): boolean {
  if (!isObject(node) || deepest === 0) return false;
  if (node["writeOnly"] === true || node["format"] === "password") return true;
  const { $ref: reference, items, additionalProperties, properties } = node;
  const parts = [
    typeof reference === "string" ? behind(reference, root) : null,
    items,
    additionalProperties,
    ...[node["allOf"], node["anyOf"], node["oneOf"], node["prefixItems"]].flatMap((some) => some ?? []),
    ...(isObject(properties) ? Object.values(properties) : []),
  ];
  return parts.some((part) => holdsSecret(part, root, deepest - 1));
}

/** What a reference within the schema leads to, such as `#/$defs/Login`. */
function behind(reference: string, root: unknown): unknown {
  return reference
    .split("/")
    .slice(1)
    .reduce<unknown>((node, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : null), root);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
