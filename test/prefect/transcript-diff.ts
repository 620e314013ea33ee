/** Where two transcripts differ, in words. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Transcript = { readonly [key: string]: Json };

export interface Difference {
  /** E.g. `flow_runs[0 hello-world].states[1].name`. */
  readonly path: string;
  readonly expected: Json | undefined;
  readonly actual: Json | undefined;
}

export function differences(expected: Json | undefined, actual: Json | undefined, path = ""): readonly Difference[] {
  if (isList(expected) && isList(actual)) {
    const last = Math.max(expected.length, actual.length);
    return Array.from({ length: last }, (_, index) => index).flatMap((index) =>
      differences(expected[index], actual[index], `${path}[${index}${label(expected[index] ?? actual[index])}]`),
    );
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    return keys.flatMap((key) => differences(expected[key], actual[key], path === "" ? key : `${path}.${key}`));
  }
  return expected === actual ? [] : [{ path, expected, actual }];
}

/** One line a difference, for a person. */
export function describe({ path, expected, actual }: Difference): string {
  return `${path}: Prefect ${show(expected)}, Sluice ${show(actual)}`;
}

/** Runs are told apart by what they are runs of. */
function label(item: Json | undefined): string {
  if (!isRecord(item)) return "";
  const name = item["flow"] ?? item["task"];
  return typeof name === "string" ? ` ${name}` : "";
}

function show(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
