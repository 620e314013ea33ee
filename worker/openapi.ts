/** The API's description, printed from the endpoints themselves. */
import { z } from "zod";
import type { Endpoint } from "#protocol/endpoint";
import { ENDPOINTS } from "#protocol/endpoints";
import { ErrorBody } from "#protocol/errors";
import { version } from "../package.json";

let printed: unknown = null;

/** The OpenAPI 3.1 document. Made once: it never changes while a Worker runs. */
export function openApiDocument(): unknown {
  printed ??= {
    openapi: "3.1.0",
    info: { title: "Sluice", version, description: "Prefect 3's REST API, and what Sluice adds to it." },
    servers: [{ url: "/api" }],
    paths: paths(),
    components: { schemas: { Error: jsonSchema(ErrorBody, "output") } },
  };
  return printed;
}

function paths(): Record<string, Record<string, unknown>> {
  const all: Record<string, Record<string, unknown>> = {};
  for (const endpoint of ENDPOINTS) {
    const path = endpoint.path.replace(/:(\w+)/g, "{$1}");
    all[path] ??= {};
    all[path][endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return all;
}

function operation(endpoint: Endpoint): unknown {
  const error = { content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };
  const body = endpoint.body && {
    required: true,
    content: { "application/json": { schema: jsonSchema(endpoint.body, "input") } },
  };
  const returns = endpoint.returns && { "application/json": { schema: jsonSchema(endpoint.returns, "output") } };
  return {
    operationId: endpoint.id,
    summary: endpoint.summary,
    tags: [endpoint.tag],
    "x-sluice-role": endpoint.role,
    parameters: [...parameters(endpoint.params, "path"), ...parameters(endpoint.query, "query")],
    ...(body ? { requestBody: body } : {}),
    responses: {
      [endpoint.status]: { description: "Success", ...(returns ? { content: returns } : {}) },
      "4XX": { description: "The request cannot be served: what is wrong, and what to do", ...error },
      "503": { description: "Not at this moment: try again", ...error },
    },
  };
}

function parameters(schema: z.ZodType | undefined, where: "path" | "query"): unknown[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).map(([name, inner]) => ({
    name,
    in: where,
    required: where === "path" || !(inner as z.ZodType).safeParse(undefined).success,
    schema: jsonSchema(inner as z.ZodType, "input"),
  }));
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
