/** Log lines of flows and tasks. */
import type { LogLevel } from "./configuration.ts";
import { echo } from "./engine/echo.ts";
import { currentScope } from "./engine/scope.ts";
import { errorStack } from "./errors.ts";

/** Facts beside a message; written behind it as `key=value`. An Error is written with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes log lines of the run that the calling code belongs to. */
export interface Logger {
  debug(message: string, fields?: LogFields | Error): void;
  info(message: string, fields?: LogFields | Error): void;
  warn(message: string, fields?: LogFields | Error): void;
  error(message: string, fields?: LogFields | Error): void;
}

/**
 * The logger of the flow or task run that the calling code belongs to. Lines are kept with the run and echoed to
 * standard error; outside of a run they are only echoed. Lines below the setting `logLevel` ("info") are dropped.
 */
export function logger(): Logger {
  return RUN_LOGGER;
}

/**
 * Waits until everything that the calling code's run has logged and reported so far is stored. A run waits for that by itself
 * before it ends, and before each task while too much is on its way; this is for code that logs very much without a task
 * in between, or calls `process.exit()`. Outside of runs there is nothing to wait for. Throws when the run's owner is lost.
 */
export async function flushLogs(): Promise<void> {
  await currentScope()?.execution.session?.flush();
}

const at =
  (level: LogLevel) =>
  (message: string, fields?: LogFields | Error): void => {
    const text = fields === undefined ? message : `${message}${fieldsText(fields)}`;
    const scope = currentScope();
    if (scope === null) echo(level, "sluice", text);
    else scope.execution.log(level, text, scope.task);
  };

/** It has no state: each call finds its run by itself. */
const RUN_LOGGER: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };

function fieldsText(fields: LogFields | Error): string {
  if (fields instanceof Error) return `\n${errorStack(fields)}`;
  let text = "";
  let stacks = "";
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) {
      text += ` ${name}=${JSON.stringify(value.message)}`;
      stacks += `\n${errorStack(value)}`;
    } else text += ` ${name}=${fieldText(value)}`;
  }
  return text + stacks;
}

function fieldText(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === "bigint" || typeof value === "symbol" || value === undefined) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle or a bigint within: the line is written all the same.
    return String(value);
  }
}
