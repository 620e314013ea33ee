import type { RunHistoryInterval } from "#protocol/run-history";

const DAY_MS = 86_400_000;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** What stands below a bar: the time of day, or the date where the bars span days. */
export function tickText(at: string, history: readonly RunHistoryInterval[]): string {
  const spanMs = Date.parse(history.at(-1)?.interval_end ?? at) - Date.parse(history[0]?.interval_start ?? at);
  return (spanMs > 2 * DAY_MS ? DATE : TIME).format(Date.parse(at));
}
