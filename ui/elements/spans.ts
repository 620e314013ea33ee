/** Spans and instants as people read them. */
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** `340 ms`, `1.2 s`, `3 m 12 s`, `2 h 5 m`, `4 d 3 h`. */
export function durationText(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 1) return `${Math.round(s * 1_000)} ms`;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < MINUTE) return `${Math.round(s)} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} m ${Math.floor(s % MINUTE)} s`;
  if (s < DAY) return `${Math.floor(s / HOUR)} h ${Math.floor((s % HOUR) / MINUTE)} m`;
  return `${Math.floor(s / DAY)} d ${Math.floor((s % DAY) / HOUR)} h`;
}

/** `just now`, `12 s ago`, `in 3 min`, `5 h ago`, `in 2 d`. */
export function relativeText(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1_000);
  const size = Math.abs(seconds);
  if (size < 2) return "just now";
  const [count, unit] =
    size < 90
      ? [size, "s"]
      : size < 90 * MINUTE
        ? [size / MINUTE, "min"]
        : size < 36 * HOUR
          ? [size / HOUR, "h"]
          : [size / DAY, "d"];
  const text = `${Math.round(count)} ${unit}`;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** In the viewer's zone, which is named. */
export function exactText(at: number): string {
  return EXACT.format(at);
}
