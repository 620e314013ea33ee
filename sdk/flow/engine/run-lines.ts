/** What the log says of each run by itself: its beginning, and its end with its duration. */
import type { State } from "../../protocol/states.ts";
import { runLogs } from "../configuration.ts";
import { formatDuration } from "../duration.ts";
import { shown } from "../secrets.ts";

/** Which lines a run has; null for none. */
export interface RunLines {
  /** Whether they tell what went in and what came out. */
  readonly hasValues: boolean;
}

/** `logValues` is what the flow or task itself says; null where it says nothing. */
export function runLines(logValues: boolean | null): RunLines | null {
  const setting = runLogs();
  if (setting === "none" && logValues !== true) return null;
  return { hasValues: logValues ?? setting === "values" };
}

/** `Started task "load", attempt 2, with {"page":1}.` */
export function startLine(
  { hasValues }: RunLines,
  what: string,
  runCount: number,
  inputs: unknown,
  secret: ReadonlySet<string> = new Set(),
): string {
  const attempt = runCount > 1 ? `, attempt ${runCount}` : "";
  return `Started ${what}${attempt}${hasValues ? `, with ${shown(inputs, secret)}` : ""}.`;
}

/** `Finished in state Completed after 12 ms, with 3.` */
export function endLine({ hasValues }: RunLines, stateName: State["name"], spanMs: number, value: unknown): string {
  return `Finished in state ${stateName} after ${formatDuration(spanMs)}${hasValues ? `, with ${shown(value)}` : ""}.`;
}
