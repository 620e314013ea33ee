/**
 * Makes values of what was sent. A text that is one placeholder, such as `{{ body.order.id }}`, becomes the value that
 * stands there, of whatever type; within other text a placeholder becomes text. A parameter whose placeholder leads to
 * nothing is left out, so that the deployment's own value holds.
 */
import type { JsonObject } from "#protocol/flow-runs";

/** What placeholders are read from. Header names are in lower case. */
export interface Source {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

const PLACEHOLDER = /\{\{\s*((?:body|headers|query)(?:\.[^.\s{}]+)*)\s*\}\}/g;
const WHOLE = new RegExp(`^\\s*${PLACEHOLDER.source}\\s*$`);
const ANY = /\{\{(.*?)\}\}/g;

export function renderObject(template: JsonObject, source: Source): JsonObject {
  const entries = Object.entries(template).map(([key, value]) => [key, render(value, source)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The text with its placeholders filled in; what leads to nothing becomes empty. */
export function renderText(template: string, source: Source): string {
  return template.replace(PLACEHOLDER, (_, path: string) => asText(lookUp(path, source)));
}

/** The first placeholder in a template that can never lead to anything, or null. */
export function unknownPlaceholder(template: unknown): string | null {
  if (typeof template === "string") {
    for (const [whole] of template.matchAll(ANY)) {
      if (!new RegExp(`^${PLACEHOLDER.source}$`).test(whole)) return whole;
    }
    return null;
  }
  if (typeof template !== "object" || template === null) return null;
  for (const inner of Object.values(template)) {
    const found = unknownPlaceholder(inner);
    if (found !== null) return found;
  }
  return null;
}

function render(template: unknown, source: Source): unknown {
  if (typeof template === "string") {
    const [, path] = WHOLE.exec(template) ?? [];
    return path === undefined ? renderText(template, source) : lookUp(path, source);
  }
  if (Array.isArray(template)) return template.map((inner) => render(inner, source) ?? null);
  return typeof template === "object" && template !== null ? renderObject(template as JsonObject, source) : template;
}

function lookUp(path: string, source: Source): unknown {
  const [root, ...names] = path.split(".");
  let value: unknown = root === "body" ? source.body : root === "headers" ? source.headers : source.query;
  for (const name of root === "headers" ? names.map((name) => name.toLowerCase()) : names) {
    const isHolder = typeof value === "object" && value !== null && Object.hasOwn(value, name);
    value = isHolder ? (value as JsonObject)[name] : undefined;
  }
  return value;
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
