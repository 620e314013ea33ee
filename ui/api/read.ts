/** A read of the API as a query: its key is the operation and what it is given, its type what the protocol declares. */
import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import type { Endpoint } from "#protocol/endpoint";
import type { ApiClient, CallInput } from "../../sdk/client/api-client.ts";
import { api } from "./client.ts";

/** Calls an operation whose input is known to fit; the rest parameter of `call` cannot be spread while it is generic. */
type LooseCall = (endpoint: Endpoint, input: unknown, options: Parameters<ApiClient["call"]>[2]) => Promise<unknown>;

/** How often what may change by itself is read again while the page is visible. */
export const LIVE_MS = 3_000;

/**
 * `input` is what the operation takes: `params`, `query`, `body`. Reads by POST are repeated like those by GET. Where
 * `version` is another one, it is read again: for what changes together with something that is known, like a state.
 */
export function read<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  endpoint: Endpoint<P, Q, B, R>,
  input: CallInput<P, Q, B>,
  version: string | null = null,
) {
  return queryOptions({
    queryKey: [endpoint.id, input as unknown, version] as const,
    queryFn: ({ signal }) => call(endpoint, input, signal),
  });
}

/** Calls an operation that only reads. */
export function call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  endpoint: Endpoint<P, Q, B, R>,
  input: CallInput<P, Q, B>,
  signal: AbortSignal,
): Promise<z.output<R>> {
  return (api.call as LooseCall)(endpoint, input, { signal, idempotent: true }) as Promise<z.output<R>>;
}
