/** An endpoint's declaration and a handler make a route: everything is parsed once, here, and the handler gets values. */
import type { Context, Hono } from "hono";
import type { z } from "zod";
import type { Endpoint } from "#protocol/endpoint";
import { type FieldIssue, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { HIDDEN } from "#protocol/secret-parameters";
import type { Caller } from "../durable-objects/caller.ts";
import { requireRole } from "./guard.ts";
import { hideSecretParameters } from "./hide-secret-parameters.ts";
import { parseLax } from "./lax.ts";
import { mayReadSecrets } from "./may-read-secrets.ts";

export interface AppEnv {
  Bindings: Env;
  Variables: {
    /** Absent where no key is needed, or where it comes in the first frame of a socket. */
    caller?: Caller;
  };
}
export type App = Hono<AppEnv>;

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;
type Wire<T> = T extends z.ZodType ? z.input<T> : undefined;

/** What a handler is given. */
export interface Call<P, Q, B> {
  readonly params: Parsed<P>;
  readonly query: Parsed<Q>;
  readonly body: Parsed<B>;
  readonly env: Env;
  readonly c: Context<AppEnv>;
}

/** What a handler answers: the body, a body with another status of success, or (where it is not JSON) a response. */
export type Answer<R> = Wire<R> | Status<Wire<R>> | Response;

class Status<T> {
  readonly body: T;
  readonly status: 200 | 201;
  constructor(body: T, status: 200 | 201) {
    this.body = body;
    this.status = status;
  }
}

/** Answers with 200 or 201, whatever the endpoint declares. */
export function withStatus<T>(body: T, status: 200 | 201): Status<T> {
  return new Status(body, status);
}

/** Serves an endpoint, with and without a trailing slash. Curried, so that the handler's literals keep their types. */
export function serve<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  app: App,
  endpoint: Endpoint<P, Q, B, R>,
) {
  return (handler: (call: Call<P, Q, B>) => Promise<Answer<R>> | Answer<R>): void => {
    const path = `/api${endpoint.path}`;
    const other = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
    app.on(endpoint.method, [path, other], async (c) => {
      requireRole(c, endpoint.role);
      const answer = await handler({
        params: parse(endpoint.params, c.req.param(), "path"),
        query: parse(endpoint.query, c.req.query(), "query"),
        body: endpoint.body === undefined ? undefined : parse(endpoint.body, await readJson(c), "body"),
        env: c.env,
        c,
      } as Call<P, Q, B>);
      if (answer instanceof Response) return answer;
      const [body, status] = answer instanceof Status ? [answer.body, answer.status] : [answer, endpoint.status];
      if (status === 204) return new Response(null, { status });
      const shown = mayReadSecrets(c) ? body : await hideSecretParameters(c.env, body);
      return Response.json(shown ?? null, { status });
    });
  };
}

function parse<T extends z.ZodType>(schema: T | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return undefined;
  const result = parseLax(schema, value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 20).map((issue): FieldIssue => {
    const input = issue.path.reduce<unknown>(
      (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
      value,
    );
    return {
      loc: [where, ...issue.path.map(asKey)],
      msg: issue.message,
      type: issue.code ?? "invalid",
      input: isSecret(issue.path) ? HIDDEN : brief(input),
    };
  });
  const first = issues[0];
  const field = first?.loc.join(".") ?? where;
  throw new SluiceError("validation", "Invalid request received.", {
    fix: `Field ${field}: ${first?.msg ?? "is not valid"} (got ${JSON.stringify(first?.input) ?? "nothing"}).`,
    issues,
  });
}

function asKey(key: PropertyKey): string | number {
  return typeof key === "symbol" ? String(key) : key;
}

/** Whether a field, or what it is in, holds secrets by its name. */
function isSecret(path: readonly PropertyKey[]): boolean {
  return path.some((key) => /secret|password|token|credential/i.test(String(key)));
}

/** An input is repeated in an error so that it is recognised, not in full. */
function brief(input: unknown): unknown {
  if (typeof input === "string") return input.length > 200 ? `${input.slice(0, 200)}…` : input;
  if (typeof input === "object" && input !== null) return Array.isArray(input) ? "(an array)" : "(an object)";
  return input;
}

/** Reads a JSON body whatever its content type says (old clients send none); an absent body is an empty object. */
async function readJson(c: Context<AppEnv>): Promise<unknown> {
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > LIMITS.bodyBytes) throw tooLarge(declared);
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength > LIMITS.bodyBytes) throw tooLarge(bytes.byteLength);
  if (bytes.byteLength === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (error) {
    throw new SluiceError("bad_json", `The request body is not JSON in UTF-8: ${(error as Error).message}.`, {
      fix: "Send one JSON value in UTF-8.",
      cause: error,
    });
  }
  if (depthExceeds(value, LIMITS.jsonDepth)) {
    throw new SluiceError("validation", `The request body is nested deeper than ${LIMITS.jsonDepth} levels.`, {
      fix: "Send flatter JSON, or put the deep part in as a string.",
    });
  }
  return value;
}

function tooLarge(bytes: number): SluiceError {
  return new SluiceError("payload_too_large", `The request body has ${bytes} bytes; ${LIMITS.bodyBytes} are allowed.`, {
    fix: "Send less at a time, and keep large data in storage of your own.",
  });
}

function depthExceeds(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((inner) => depthExceeds(inner, depth - 1));
}
