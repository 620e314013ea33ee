/** A list of the API as pages, read one after the other as somebody scrolls down. */
import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import type { z } from "zod";
import type { Endpoint } from "#protocol/endpoint";
import { LIMITS } from "#protocol/limits";
import type { CallInput } from "../../sdk/client/api-client.ts";
import { call } from "./read.ts";

export interface Identified {
  readonly id: string;
}

/** What reads a list of such rows. */
export type PagesOf<Row extends Identified> = ReturnType<typeof readPages<z.ZodType, z.ZodType, z.ZodType, Row>>;

/**
 * `input` is what the operation takes but for `limit` and `offset`. Where what is listed changes by itself, `refetchMs` is how
 * often its first page is read again; as all pages are read again together, they are the less often the more there are.
 */
export function readPages<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, Row extends Identified>(
  endpoint: Endpoint<P, Q, B, z.ZodType<Row[]>>,
  input: CallInput<P, Q, B>,
  refetchMs: number | null = null,
) {
  return infiniteQueryOptions({
    queryKey: [endpoint.id, "pages", input as unknown] as const,
    queryFn: ({ pageParam, signal }) => {
      const { body } = input as { readonly body?: object };
      const page = { ...input, body: { ...body, limit: LIMITS.pageRows, offset: pageParam } };
      return call(endpoint, page, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (last, all) => (last.length < LIMITS.pageRows ? null : all.length * LIMITS.pageRows),
    refetchInterval: ({ state }) => refetchMs !== null && refetchMs * Math.max(1, state.data?.pages.length ?? 1),
    placeholderData: keepPreviousData,
  });
}
