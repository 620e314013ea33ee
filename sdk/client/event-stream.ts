/** Events of the control plane as they happen, for those who also look by themselves: what is missed is not told again. */
import type { EventFilter } from "../protocol/event-filter.ts";
import { EVENTS_SUBPROTOCOL } from "../protocol/events.ts";
import type { ApiClient } from "./api-client.ts";
import { fullJitterMs } from "./jitter.ts";

const RECONNECT_BASE_MS = 500;
const RECONNECT_MAX_MS = 30_000;

/**
 * Calls back when an event matches, and each time that the connection is there (again), since something may have
 * happened without it. Ends with the signal. Where there are no WebSockets it does nothing.
 */
export function watchEvents(client: ApiClient, filter: EventFilter, onNews: () => void, signal: AbortSignal): void {
  if (globalThis.WebSocket === undefined) return;
  let attempts = 0;
  const connect = (): void => {
    if (signal.aborted) return;
    const socket = new WebSocket(client.socketUrl("/events/out"), EVENTS_SUBPROTOCOL);
    const close = (): void => socket.close();
    signal.addEventListener("abort", close, { once: true });
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ type: "auth", token: client.key }));
      socket.send(JSON.stringify({ type: "filter", filter, backfill: false }));
    });
    socket.addEventListener("message", () => {
      attempts = 0;
      onNews();
    });
    socket.addEventListener("close", () => {
      signal.removeEventListener("abort", close);
      if (signal.aborted) return;
      const timer = setTimeout(
        () => {
          signal.removeEventListener("abort", stop);
          connect();
        },
        fullJitterMs(attempts++, RECONNECT_BASE_MS, RECONNECT_MAX_MS),
      );
      const stop = (): void => clearTimeout(timer);
      signal.addEventListener("abort", stop, { once: true });
    });
  };
  connect();
}
