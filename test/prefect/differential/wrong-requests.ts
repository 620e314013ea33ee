/** Requests that a server must refuse, or take with care, made from Prefect's own description of its operations. */
import type { DescribedOperation } from "../openapi-document.ts";
import { isFields, type Json, type JsonFields } from "./json.ts";
import type { Request } from "./pair.ts";

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";
/** What is not JSON, or is JSON but no object. */
const WRONG_BODIES = ['{"', "", "null", "[1]", '"text"', "1", '{"a": NaN}', "[]"];
/** What is sent instead of a field's value. */
const WRONG_VALUES: readonly Json[] = [null, "", "text", -1, 201, 1.5, true, [], [null], {}, { a: 1 }, UNKNOWN_ID];
/** Operations whose effect cannot be undone, or that are no REST at all. */
const LEFT_ALONE = /^(POST \/events|DELETE \/admin|PUT \/admin|POST \/block_types\/install)/;

export function wrongRequests(operations: Iterable<DescribedOperation>): Request[] {
  return [...operations].filter(({ title }) => !LEFT_ALONE.test(title)).flatMap(wrong);
}

function wrong(described: DescribedOperation): Request[] {
  const { title } = described;
  const operation = title;
  const ownPath = title.slice(title.indexOf(" ") + 1);
  const fill = (value: string): string => ownPath.replace(/\{\w+\}/g, value);
  const path = fill(UNKNOWN_ID);
  const valid = minimal(described.body, described);
  const requests: Request[] = [];
  if (described.pathParameters > 0) {
    const withBody = described.body === undefined ? {} : { body: valid };
    requests.push({ operation, path, title: "an unknown id", ...withBody });
    requests.push({ operation, path: fill("no-such-id"), title: "no id", ...withBody });
  }
  if (described.body === undefined) return requests;
  for (const text of WRONG_BODIES) requests.push({ operation, path, text, title: `the body ${text}` });
  for (const field of fieldNames(described.body, described)) {
    for (const value of WRONG_VALUES) {
      const body = { ...(isFields(valid) ? valid : {}), [field]: value };
      requests.push({ operation, path, body, title: `${field} = ${JSON.stringify(value)}` });
    }
  }
  if (isFields(valid)) {
    for (const field of Object.keys(valid)) {
      const { [field]: _, ...without } = valid;
      requests.push({ operation, path, body: without, title: `without ${field}` });
    }
    requests.push({ operation, path, body: { ...valid, no_such_field: 1 }, title: "an unknown field" });
  }
  return requests;
}

function fieldNames(schema: unknown, described: DescribedOperation): string[] {
  const { properties } = followed(schema, described);
  return Object.keys(Object(properties));
}

/** The least that a schema takes. */
function minimal(schema: unknown, described: DescribedOperation): Json {
  const at = followed(schema, described);
  const required = (at["required"] as readonly string[] | undefined) ?? [];
  const properties = Object(at["properties"]) as Readonly<Record<string, unknown>>;
  if (at["default"] !== undefined) return at["default"] as Json;
  if (Array.isArray(at["enum"])) return at["enum"][0] as Json;
  if (at["type"] === "string") return text(at["format"]);
  if (at["type"] === "integer" || at["type"] === "number") return 1;
  if (at["type"] === "boolean") return true;
  if (at["type"] === "array") return [];
  return Object.fromEntries(required.map((name) => [name, minimal(properties[name], described)])) as JsonFields;
}

function text(format: unknown): string {
  if (format === "uuid") return UNKNOWN_ID;
  return format === "date-time" ? "2024-01-01T00:00:00Z" : "some-text";
}

/** A schema behind its references, and of several the first. */
function followed(schema: unknown, described: DescribedOperation): Readonly<Record<string, unknown>> {
  const at = Object(schema) as Readonly<Record<string, unknown>>;
  const reference = at["$ref"];
  if (typeof reference === "string") {
    return followed(described.document.components.schemas[reference.split("/").at(-1) ?? ""], described);
  }
  const [first] = ((at["anyOf"] ?? at["allOf"]) as unknown[] | undefined) ?? [];
  return first === undefined || at["default"] !== undefined ? at : followed(first, described);
}

/** Wrong values deep inside of filters. */
export function wrongFilters(): Request[] {
  const filters: JsonFields[] = [
    { flow_runs: { id: { any_: ["no id"] } } },
    { flow_runs: { id: { any_: UNKNOWN_ID } } },
    { flow_runs: { id: [UNKNOWN_ID] } },
    { flow_runs: { state: { type: { any_: ["NO_SUCH_TYPE"] } } } },
    { flow_runs: { state: { type: { any_: ["running"] } } } },
    { flow_runs: { start_time: { after_: "no time" } } },
    { flow_runs: { start_time: { after_: 1_700_000_000 } } },
    { flow_runs: { start_time: { after_: "2024-01-01" } } },
    { flow_runs: { operator: "xor_" } },
    { flow_runs: { tags: { all_: "red" } } },
    { flow_runs: { name: { any_: [1] } } },
    { flow_runs: { no_such_field: { any_: [] } } },
    { flow_runs: { name: { no_such_operator: [] } } },
    { flows: { name: { like_: 5 } } },
    { deployments: { paused: { eq_: "yes" } } },
    { deployments: { paused: { eq_: "no way" } } },
    { task_runs: { subflow_runs: { exists_: "x" } } },
    { sort: "NO_SUCH_SORT" },
    { sort: "name_asc" },
    { limit: "5" },
    { limit: 5.0 },
    { limit: "five" },
    { limit: 1e20 },
    { offset: 1e20 },
  ];
  return ["POST /flow_runs/filter", "POST /flow_runs/count", "POST /flows/filter", "POST /task_runs/filter"].flatMap(
    (operation) => filters.map((body) => ({ operation, body })),
  );
}
