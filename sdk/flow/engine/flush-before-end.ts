/**
 * What a process that is asked to end (SIGTERM) still has to tell of its runs. It tells it and then ends by the same
 * signal, as it would have. Where somebody else listens to the signal, the end is theirs.
 */
const WITHIN_MS = 2_000;
const SIGNAL = "SIGTERM";

const flushes = new Set<() => Promise<void>>();

/** Has `flush` called before the process ends by the signal; answers what takes that back. */
export function flushBeforeEnd(flush: () => Promise<void>): () => void {
  // Its own, so that one function given twice is two.
  const entry = (): Promise<void> => flush();
  flushes.add(entry);
  // Before all others: those that listen once are gone from the list when their turn is over.
  if (flushes.size === 1) signals()?.prependListener(SIGNAL, end);
  return () => {
    if (flushes.delete(entry) && flushes.size === 0) signals()?.removeListener(SIGNAL, end);
  };
}

function end(): void {
  const all = [...flushes].map((flush) => flush());
  if ((signals()?.listenerCount(SIGNAL) ?? 0) > 1) {
    void Promise.allSettled(all);
    return;
  }
  const tooLate = new Promise((resolve) => setTimeout(resolve, WITHIN_MS));
  void Promise.race([Promise.allSettled(all), tooLate]).then(() => {
    flushes.clear();
    signals()?.removeListener(SIGNAL, end);
    process.kill(process.pid, SIGNAL);
  });
}

/** Null where there are no signals. */
function signals(): NodeJS.Process | null {
  return typeof globalThis.process?.on === "function" && globalThis.process.pid > 0 ? globalThis.process : null;
}
