/**
 * Callbacks on an abort, in constant time each: a signal's own list of listeners is walked at every change, which is
 * too slow for ten thousand tasks that wait on the signal of their flow.
 */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal aborts, at once if it has; answers what takes the callback back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  let callbacks = listeners.get(signal);
  if (callbacks === undefined) {
    const made = new Set<() => void>();
    callbacks = made;
    listeners.set(signal, made);
    signal.addEventListener(
      "abort",
      () => {
        for (const one of made) one();
        made.clear();
      },
      { once: true },
    );
  }
  const known = callbacks;
  // A wrapper of its own, so that one function given twice is called twice.
  const entry = (): void => callback();
  known.add(entry);
  return () => void known.delete(entry);
}
