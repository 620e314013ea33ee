/** A clock that ticks once a second while somebody looks at it. */
import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;

/** Milliseconds since 1970, anew every second; 0 where nothing goes on any more. */
export function useNow(isTicking = true): number {
  return useSyncExternalStore(isTicking ? subscribe : standStill, () => (isTicking ? nowMs : 0));
}

function standStill(): () => void {
  return () => undefined;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  nowMs = Date.now();
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

function tick(): void {
  if (document.hidden) return;
  nowMs = Date.now();
  for (const listener of listeners) listener();
}
