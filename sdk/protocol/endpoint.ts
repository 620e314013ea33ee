/** How an HTTP operation is declared: once, here; served, called and printed as OpenAPI from the same value. */
import type { z } from "zod";

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Least role that may call an endpoint. `public` needs no key even where keys are required. */
export type Role = "public" | "viewer" | "worker" | "operator" | "admin";

/** An operation of the API. `P`, `Q`, `B`, `R` are the schemas of path parameters, query, body and answer. */
export interface Endpoint<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  readonly id: string;
  readonly method: HttpMethod;
  /** Below `/api`, with `:name` for parameters; a trailing slash is accepted whether or not it is written here. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly tag: string;
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
