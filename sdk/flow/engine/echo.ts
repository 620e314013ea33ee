/** Run logs on the console of the process: standard error, so that a program's own output stays clean. */
import { echoLogs, type LogLevel, logLevel } from "../configuration.ts";
import { masked } from "../secrets.ts";

/** Python's numbers, as the wire has them. */
export const LEVEL_NUMBER = { debug: 10, info: 20, warn: 30, error: 40 } as const satisfies Record<LogLevel, number>;

// The console as it was at load: what it writes is not captured again.
const writeLine = console.error.bind(console);

/** Whether lines of a level are kept at all. */
export function isLogged(level: LogLevel): boolean {
  return LEVEL_NUMBER[level] >= LEVEL_NUMBER[logLevel()];
}

/** Writes one line to standard error, secrets masked, unless the settings say otherwise. */
export function echo(level: LogLevel, who: string, message: string): void {
  if (!echoLogs() || !isLogged(level)) return;
  const time = new Date().toISOString().slice(11, 23);
  writeLine(`${time} ${level.toUpperCase().padEnd(5)} ${who}: ${masked(message)}`);
}
