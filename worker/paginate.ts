/** Pages of lists, for every `/paginate`. */
import type { PageNumber } from "#protocol/filters";
import { LIMITS } from "#protocol/limits";

export interface Page<T> {
  readonly results: T[];
  readonly count: number;
  readonly limit: number;
  readonly pages: number;
  readonly page: number;
}

/** Reads one page and counts all rows, both at once. */
export async function paginate<T>(
  asked: PageNumber,
  list: (part: { readonly limit: number; readonly offset: number }) => Promise<T[]>,
  count: () => Promise<number>,
): Promise<Page<T>> {
  const limit = asked.limit ?? LIMITS.pageRows;
  const page = asked.page ?? 1;
  const [results, total] = await Promise.all([list({ limit, offset: (page - 1) * limit }), count()]);
  return { results, count: total, limit, pages: limit > 0 ? Math.ceil(total / limit) : 0, page };
}
