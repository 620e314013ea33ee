/** Keeps what user code writes to the console as log lines of its run. The console itself goes on as before. */
import type { LogLevel } from "../configuration.ts";
import { currentScope } from "./scope.ts";

const METHODS = { log: "info", info: "info", debug: "debug", warn: "warn", error: "error" } as const satisfies Record<
  string,
  LogLevel
>;
type Method = keyof typeof METHODS;

let users = 0;
let originals: Record<Method, (...values: unknown[]) => void> | null = null;

/** Begins to capture, for the runs that want it; answers what ends it. The console is only changed in between. */
export function captureConsole(): () => void {
  if (users++ === 0) install();
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    if (--users === 0) uninstall();
  };
}

function install(): void {
  const target = globalThis.console;
  const kept = { log: target.log, info: target.info, debug: target.debug, warn: target.warn, error: target.error };
  originals = kept;
  for (const method of Object.keys(METHODS) as Method[]) {
    target[method] = (...values: unknown[]) => {
      kept[method].apply(target, values);
      const scope = currentScope();
      if (scope?.execution.capturesConsole)
        scope.execution.keepLog(METHODS[method], format(values), scope.task, "console");
    };
  }
}

function uninstall(): void {
  if (originals === null) return;
  Object.assign(globalThis.console, originals);
  originals = null;
}

interface NodeUtil {
  readonly format: (...values: unknown[]) => string;
}

function format(values: readonly unknown[]): string {
  const load = globalThis.process?.getBuiltinModule as ((name: string) => NodeUtil | undefined) | undefined;
  const util = load?.("node:util");
  return util ? util.format(...values) : values.map(plain).join(" ");
}

function plain(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ?? value.message;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle or a bigint within: its plain text is better than no line.
    return String(value);
  }
}
