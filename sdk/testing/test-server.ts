/// <reference lib="esnext.disposable" preserve="true" />
/** A control plane of a test's own: the embedded server, whose Node modules are only loaded when one is started. */
import { configure } from "../flow/configuration.ts";
import type { RunningServer, ServerOptions } from "../server/start.ts";

/** How the server of a test is started. Everything may be left out. */
export interface TestServerOptions extends Pick<ServerOptions, "heartbeatMs" | "rootKey"> {
  /** A folder whose data it goes on with. Default: a new one, which is removed at the end. */
  readonly dataDir?: string;
  /** Whether flows that are called in this process run on it until it is disposed of. Default true. */
  readonly configure?: boolean;
}

/** A server that runs until it is disposed of: `await using server = await startTestServer()`. */
export interface TestServer extends AsyncDisposable {
  /** E.g. "http://127.0.0.1:40123": the UI. */
  readonly origin: string;
  /** E.g. "http://127.0.0.1:40123/api", as `SLUICE_API_URL` takes it. */
  readonly apiUrl: string;
  /** Cuts every connection and refuses new ones. The server itself goes on. */
  disconnect(): void;
  /** Takes connections again. */
  reconnect(): void;
}

/**
 * Starts the embedded server on a free port of the loopback, in about a second. Needs Node; throws `ServerError` with what
 * is wrong and what to do where it cannot run.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  // Only here, so that the rest of `sluice/testing` loads on every runtime.
  const [{ startServer }, { openRelay }, { mkdtemp, rm }, { tmpdir }, { join }] = await Promise.all([
    import("../server/start.ts"),
    import("./relay.ts"),
    import("node:fs/promises"),
    import("node:os"),
    import("node:path"),
  ]);
  const stack = new AsyncDisposableStack();
  try {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "sluice-testing-")));
    if (options.dataDir === undefined) stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const { heartbeatMs, rootKey } = options;
    const server: RunningServer = await startServer({
      port: 0,
      dataDir,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(rootKey === undefined ? {} : { rootKey }),
    });
    stack.defer(() => server.stop());
    const relay = stack.use(await openRelay(Number(new URL(server.origin).port)));
    const origin = `http://127.0.0.1:${relay.port}`;
    const apiUrl = `${origin}/api`;
    if (options.configure ?? true) {
      stack.defer(configure({ apiUrl, backend: null, ...(rootKey === undefined ? {} : { apiKey: rootKey }) }));
    }
    const made = stack.move();
    return {
      origin,
      apiUrl,
      disconnect: () => relay.cut(),
      reconnect: () => relay.restore(),
      [Symbol.asyncDispose]: () => made.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
