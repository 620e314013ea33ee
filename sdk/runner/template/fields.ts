/** Reads values of a job's configuration, whose types nobody has checked. */

export type Json = Readonly<Record<string, unknown>>;

/** Null for what is no text or an empty one. */
export function text(configuration: Json, name: string): string | null {
  const value = configuration[name];
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

export function texts(configuration: Json, name: string): string[] {
  const value = configuration[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Null for what is no number, also none in a text. */
export function number(configuration: Json, name: string): number | null {
  const value = configuration[name];
  if (value === null || value === undefined || value === "") return null;
  const found = Number(value);
  return Number.isFinite(found) ? found : null;
}

/** Null for lists and whatever else is no object. */
export function object(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}
