/** The API's description, printed from the endpoints themselves. */
import { z } from "zod";
import type { Endpoint } from "#protocol/endpoint";
import { ENDPOINTS } from "#protocol/endpoints";
import { ErrorBody } from "#protocol/errors";
import { version } from "../package.json";

let printed: unknown = null;

/** The OpenAPI 3.1 document. Made once: it never changes while a Worker runs. */
export function openApiDocument(): unknown {
  printed ??= print();
  return printed;
}

/** Named schemas of the document, by name. */
type Components = Record<string, unknown>;

function print(): unknown {
  const schemas: Components = {};
  schemas["Error"] = jsonSchema(ErrorBody, "output", "error", schemas);
  return {
    openapi: "3.1.0",
    info: { title: "Sluice", version, description: "Prefect 3's REST API, and what Sluice adds to it." },
    servers: [{ url: "/api" }],
    paths: paths(schemas),
    components: { schemas },
  };
}

function paths(schemas: Components): Record<string, Record<string, unknown>> {
  const all: Record<string, Record<string, unknown>> = {};
  for (const endpoint of ENDPOINTS) {
    const path = endpoint.path.replace(/:(\w+)/g, "{$1}");
    all[path] ??= {};
    all[path][endpoint.method.toLowerCase()] = operation(endpoint, schemas);
  }
  return all;
}

function operation(endpoint: Endpoint, schemas: Components): unknown {
  const error = { content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };
  const body = endpoint.body && {
    required: true,
    content: { "application/json": { schema: jsonSchema(endpoint.body, "input", `${endpoint.id}_body`, schemas) } },
  };
  const returns = endpoint.returns && {
    "application/json": { schema: jsonSchema(endpoint.returns, "output", `${endpoint.id}_answer`, schemas) },
  };
  return {
    operationId: endpoint.id,
    summary: endpoint.summary,
    tags: [endpoint.tag],
    "x-sluice-role": endpoint.role,
    parameters: [...parameters(endpoint, "path", schemas), ...parameters(endpoint, "query", schemas)],
    ...(body ? { requestBody: body } : {}),
    responses: {
      [endpoint.status]: { description: "Success", ...(returns ? { content: returns } : {}) },
      "4XX": { description: "The request cannot be served: what is wrong, and what to do", ...error },
      "503": { description: "Not at this moment: try again", ...error },
    },
  };
}

function parameters(endpoint: Endpoint, where: "path" | "query", schemas: Components): unknown[] {
  const schema = where === "path" ? endpoint.params : endpoint.query;
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).map(([name, inner]) => ({
    name,
    in: where,
    required: where === "path" || !(inner as z.ZodType).safeParse(undefined).success,
    schema: jsonSchema(inner as z.ZodType, "input", `${endpoint.id}_${name}`, schemas),
  }));
}

/**
 * A schema without definitions of its own: those of one that refers to itself go to the document's named schemas, since
 * references start from the document.
 */
function jsonSchema(schema: z.ZodType, io: "input" | "output", name: string, schemas: Components): unknown {
  const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  const names = new Map(Object.keys($defs).map((inner, index) => [`#/$defs/${inner}`, `${name}_${index}`]));
  for (const [inner, definition] of Object.entries($defs)) {
    schemas[names.get(`#/$defs/${inner}`) ?? inner] = renamed(definition, names);
  }
  return renamed(rest, names);
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key === "$ref" && typeof inner === "string" ? names.get(inner) : undefined;
      return [key, name === undefined ? renamed(inner, names) : `#/components/schemas/${name}`];
    }),
  );
}
