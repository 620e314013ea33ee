/** Says in a sentence why the process of a run ended without reporting what became of the run. */

/** How a process ended: one of the two is not null. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Exit codes of a run's process (`child.ts`). 0 says that the end of the run was reported, whether the flow completed,
 * failed or was cancelled; everything else is trouble of the infrastructure. The numbers are those of sysexits.h.
 */
export const CHILD_EXIT = {
  reported: 0,
  /** The engine failed in a way that it could not report. */
  broken: 70,
  /** The control plane could not be reached. */
  unreachable: 75,
  /** The control plane refused the process: its claim is over, the run was deleted, or the key may not. */
  refused: 77,
  /** The process was started without what it needs to know. */
  notConfigured: 78,
} as const;

const BY_SIGNAL: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: "it was killed (SIGKILL): the machine or container ran out of memory, or somebody killed it by hand",
  SIGTERM: "it was asked to end (SIGTERM): the machine shuts down, or somebody stopped it",
  SIGINT: "it was interrupted (SIGINT)",
  SIGHUP: "its terminal was closed (SIGHUP)",
  SIGABRT: "it aborted (SIGABRT), as Node does when its heap is full",
  SIGSEGV: "it crashed in native code (SIGSEGV): a faulty native module, or a fault of the runtime",
  SIGBUS: "it crashed in native code (SIGBUS): a faulty native module, or a full disk behind mapped memory",
  SIGILL: "it met an instruction that this machine does not have (SIGILL)",
  SIGFPE: "it crashed in native code (SIGFPE)",
};

const BY_CODE: Readonly<Record<number, string>> = {
  0: "it ended with code 0 before the flow did: something called process.exit(), or nothing was left to wait for",
  1: "it ended with code 1, as Node does after an error that nothing caught",
  9: "Node did not understand one of its options (code 9); look at NODE_OPTIONS",
  13: "it ended with code 13: a top-level await never settled",
  [CHILD_EXIT.broken]: "the flow engine failed (code 70)",
  [CHILD_EXIT.unreachable]: "it could not reach the control plane (code 75)",
  [CHILD_EXIT.refused]: "the control plane refused its reports (code 77)",
  [CHILD_EXIT.notConfigured]: "it was started without its environment (code 78)",
  126: "it could not be executed (code 126)",
  127: "its program was not found (code 127)",
};

/**
 * The reason, as a sentence. `lastError` is what the process wrote on its standard error when it ended, if that could
 * be told from its other output.
 */
export function exitReason(exit: ProcessExit, lastError: string | null = null): string {
  const heap = lastError !== null && /heap out of memory/i.test(lastError);
  const how = heap
    ? "its JavaScript heap ran out of memory; NODE_OPTIONS=--max-old-space-size=MEGABYTES in the deployment's job variables gives it more"
    : howItEnded(exit);
  const said = lastError === null || heap ? "" : ` Its last error: ${lastError}`;
  return `The run's process is gone: ${how}.${said}`;
}

function howItEnded({ code, signal }: ProcessExit): string {
  if (signal !== null) return BY_SIGNAL[signal] ?? `it was ended by ${signal}`;
  if (code === null) return "nobody knows how it ended";
  const viaShell = code > 128 && code <= 128 + 64;
  return BY_CODE[code] ?? `it ended with code ${code}${viaShell ? `, which stands for signal ${code - 128}` : ""}`;
}

/** Lines of standard error by which a dying process is recognised, the most telling first. */
const TELLING = [
  /^FATAL ERROR: .*/,
  /^(?:Uncaught |\[?)(?:[A-Z]\w*)?(?:Error|Exception)\b(?: \[[A-Z_]+\])?:.*/,
  /^node: .*/,
];

/** Finds the error in the last lines that a process wrote on its standard error; null when there is none. */
export function lastErrorIn(lines: readonly string[]): string | null {
  for (const pattern of TELLING) {
    const found = lines.findLast((line) => pattern.test(line));
    if (found !== undefined) return found.slice(0, 500);
  }
  return null;
}
