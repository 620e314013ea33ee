/** Whether the server answers, as the last request told. */
import { useSyncExternalStore } from "react";

let isLost = false;
const listeners = new Set<() => void>();

function set(next: boolean): void {
  if (isLost === next) return;
  isLost = next;
  for (const listener of listeners) listener();
}

export const connection = { lost: () => set(true), found: () => set(false) };

/** True from the first request that found nobody until the first that was answered. */
export function useConnectionLost(): boolean {
  return useSyncExternalStore(subscribe, () => isLost);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
