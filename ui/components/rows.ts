/** The rows of a list of the API, which is read on as far as somebody looks. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { Identified, PagesOf } from "../api/read-pages.ts";

export interface Rows<Row extends Identified> {
  /** Undefined while nothing was read. */
  readonly rows: Row[] | undefined;
  /** Null while the list goes on. */
  readonly total: number | null;
  readonly error: Error | null;
  readonly onRetry: () => void;
  /** Reads the next page, if there is one. */
  readonly onEnd: () => void;
}

export interface RowsWanted<Row> {
  /** Which rows are shown, where the API has no filter for it: all pages are read then. */
  readonly fits?: ((row: Row) => boolean) | undefined;
  /** A row that the address names: pages are read until it is found. */
  readonly sought?: ((row: Row) => boolean) | undefined;
}

export function useRows<Row extends Identified>(
  options: PagesOf<Row>,
  { fits, sought }: RowsWanted<Row> = {},
): Rows<Row> {
  const { data, error, refetch, hasNextPage, isFetching, isFetchNextPageError, fetchNextPage } =
    useInfiniteQuery(options);
  const known = useMemo(() => data && distinct(data.pages.flat()), [data]);
  const isEnough = !fits && (!sought || known?.some(sought));
  const isReadOn = !isEnough && hasNextPage && !isFetching && !isFetchNextPageError;
  useEffect(() => {
    if (isReadOn) void fetchNextPage();
  }, [isReadOn, fetchNextPage]);
  const rows = fits ? known?.filter(fits) : known;
  return {
    rows,
    total: hasNextPage || !rows ? null : rows.length,
    error,
    onRetry: () => void refetch(),
    onEnd: () => {
      if (hasNextPage && !isFetching) void fetchNextPage();
    },
  };
}

/** What is made or deleted between two pages moves rows from one to the other. */
function distinct<Row extends Identified>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
