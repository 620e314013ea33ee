/** How an HTTP operation is declared: once, here; served, called and printed as OpenAPI from the same value. */
import type { z } from "zod";

/** The methods that operations are declared with. HEAD and OPTIONS are not among them. */
export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Least role that may call an endpoint. `public` needs no key even where keys are required. */
export type Role = "public" | "viewer" | "worker" | "operator" | "admin";

/**
 * An operation of the API. `P`, `Q`, `B`, `R` are the schemas of path parameters, query, body and answer.
 *
 * Beside what the docstring of each says, every operation may fail: 400 for a body that is not JSON, 401 without a good
 * key, 403 for a role too low, 413 for a body over 8 MB, 422 for what does not fit its schemas, 503 for what passes.
 */
export interface Endpoint<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  /** Upstream's name of the operation where it has one; unique, and the `operationId` of the API's document. */
  readonly id: string;
  readonly method: HttpMethod;
  /** Below `/api`, with `:name` for parameters; a trailing slash is accepted whether or not it is written here. */
  readonly path: `/${string}`;
  /** What it does, as a sentence for the API's document. */
  readonly summary: string;
  /** Under which heading the API's document has it. */
  readonly tag: string;
  /** Whoever has less is answered 403. */
  readonly role: Role;
  /** Status of success. Handlers may answer 200 where 201 is declared, as upstream does for repeats. */
  readonly status: 200 | 201 | 202 | 204;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly returns?: R;
}

/** Declares an operation; see {@link Endpoint} for the fields. `status` is 200 and `role` is "operator" unless given. */
export function endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  declaration: Omit<Endpoint<P, Q, B, R>, "status" | "role"> & Partial<Pick<Endpoint, "status" | "role">>,
): Endpoint<P, Q, B, R> {
  return { status: 200, role: "operator", ...declaration };
}
