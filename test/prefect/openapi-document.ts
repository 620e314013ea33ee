/** Reads OpenAPI documents as lists of operations, and JSON schemas as the paths of the fields that they name. */
import { z } from "zod";

type Schema = { readonly [keyword: string]: unknown };

const Operation = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) }).optional(),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).optional() })),
});
export const OpenApiDocument = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});
export type OpenApiDocument = z.output<typeof OpenApiDocument>;

export interface DescribedOperation {
  /** `POST /flow_runs/{id}/set_state`, as the document writes it. */
  readonly title: string;
  /** The title without names of path parameters and without a trailing slash, so that two documents agree. */
  readonly key: string;
  readonly pathParameters: number;
  readonly query: readonly string[];
  /** Schema of the JSON body, if it takes one. */
  readonly body: unknown;
  readonly document: OpenApiDocument;
}

/** Every operation of a document, by key. */
export function operationsOf(document: OpenApiDocument): Map<string, DescribedOperation> {
  const all = new Map<string, DescribedOperation>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const key = keyOf(`${method.toUpperCase()} ${path}`);
      all.set(key, {
        title: `${method.toUpperCase()} ${path}`,
        key,
        pathParameters: path.split("{").length - 1,
        query: operation.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name),
        body: operation.requestBody?.content["application/json"]?.schema,
        document,
      });
    }
  }
  return all;
}

/** `POST /flows/{id}/` → `POST /flows/{}`. */
export function keyOf(title: string): string {
  return title.replace(/\{\w+\}/g, "{}").replace(/(?<=.)\/$/, "");
}

/** The fields below a schema. */
export interface Fields {
  /** `flows.id.any_`, with `[]` for the items of an array. A schema that refers to itself is followed once. */
  readonly paths: ReadonlySet<string>;
  /** Whether the schema names the field, or takes anything at all where it stands. */
  accepts(path: string): boolean;
}

export function fieldsOf(schema: unknown, document: OpenApiDocument): Fields {
  const paths = new Set<string>();
  const open = new Set<string>();
  visit(asSchema(schema), "", []);
  return { paths, accepts: (path) => paths.has(path) || above(path).some((prefix) => open.has(prefix)) };

  function visit(reference: Schema, path: string, outer: readonly Schema[]): void {
    const at = resolve(reference, document);
    if (outer.includes(at)) return;
    const chain = [...outer, at];
    const members = ["anyOf", "oneOf", "allOf"].flatMap((keyword) => (at[keyword] as Schema[] | undefined) ?? []);
    for (const member of members) visit(member, path, chain);
    if (at["items"] !== undefined) visit(asSchema(at["items"]), `${path}[]`, chain);
    for (const [name, field] of Object.entries(asSchema(at["properties"]))) {
      const below = path === "" ? name : `${path}.${name}`;
      paths.add(below);
      visit(asSchema(field), below, chain);
    }
    if (takesAnything(at, members)) open.add(path);
  }
}

/** A schema without a word, or an object of any fields. */
function takesAnything(schema: Schema, members: readonly Schema[]): boolean {
  const isObjectOfAny = schema["type"] === "object" && schema["properties"] === undefined;
  const keywords = ["type", "properties", "enum", "const", "$ref"];
  return isObjectOfAny || (members.length === 0 && keywords.every((keyword) => schema[keyword] === undefined));
}

function resolve(schema: Schema, document: OpenApiDocument): Schema {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  const keys = reference.replace(/^#\//, "").split("/");
  const found = keys.reduce<unknown>((inside, key) => Reflect.get(Object(inside), key), document);
  if (found === undefined) throw new Error(`The document has no ${reference}.`);
  return resolve(asSchema(found), document);
}

/** Everything that a path is inside of: `a[].b.c` → ``, `a`, `a[]`, `a[].b`. */
function above(path: string): string[] {
  const ends = [...path.matchAll(/\.|\[\]/g)].map(({ index }) => index);
  return ["", ...ends.map((end) => path.slice(0, end)), ...ends.map((end) => path.slice(0, end + 2))];
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}
