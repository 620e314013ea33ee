/** How states and log lines of runs are written in a terminal. */
import type { FlowRun } from "../protocol/flow-runs.ts";
import type { Log } from "../protocol/logs.ts";

const LEVELS: readonly (readonly [least: number, name: string])[] = [
  [50, "FATAL"],
  [40, "ERROR"],
  [30, "WARN"],
  [20, "INFO"],
  [0, "DEBUG"],
];

/** `12:03:44.512 INFO  extract-0: message`, with continued lines indented. */
export function logLine(log: Log, who = log.name): string {
  const level = LEVELS.find(([least]) => log.level >= least)?.[1] ?? "DEBUG";
  const head = `${clockTime(log.timestamp)} ${level.padEnd(5)} ${printable(who)}: `;
  return head + printable(log.message).replaceAll("\n", "\n    ");
}

/** `12:03:44.512 STATE Running`, with the state's message behind it. */
export function stateLine(run: FlowRun): string {
  const message = run.state?.message ? ` — ${printable(run.state.message)}` : "";
  return `${clockTime(run.state?.timestamp ?? run.updated)} STATE ${run.state_name ?? "none"}${message}`;
}

/** The time of day in UTC, to the millisecond. */
export function clockTime(time: string): string {
  return time.slice(11, 23);
}

/** Text without what could steer the terminal; line breaks and tabs stay. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]+/g, " ");
}
