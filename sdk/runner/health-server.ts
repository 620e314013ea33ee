/** Answers load balancers and probes whether a worker is well. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunnerState } from "./runner.ts";

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

/** A worker without a connection for longer than this is not well: whoever watches it may start it anew. */
const DOWN_ALLOWED_MS = 60_000;

/**
 * Serves `GET /health`: 200 while the worker is connected, waits for its runs or pauses; 503 when it has had no
 * connection for a minute, or has stopped. Throws when the port is taken.
 */
export async function startHealthServer(
  port: number,
  host: string,
  status: () => { readonly state: RunnerState; readonly sinceMs: number; readonly activeRuns: number },
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const isKnown = request.url === "/health" || request.url === "/";
    const { state, sinceMs, activeRuns } = status();
    const isWell = state.kind === "connecting" ? sinceMs < DOWN_ALLOWED_MS : state.kind !== "stopped";
    response.writeHead(isKnown ? (isWell ? 200 : 503) : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isKnown ? { status: isWell ? "ok" : "unwell", state: state.kind, activeRuns } : {}));
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
