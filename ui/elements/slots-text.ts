/** How many slots are taken, of how many; null where any number may be. */
export function slotsText(taken: number | null | undefined, limit: number | null): string {
  return limit === null ? `${taken ?? 0} taken, no limit` : `${taken ?? 0} of ${limit} taken`;
}
