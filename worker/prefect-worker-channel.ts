/**
 * The channel of Prefect's own workers. Its socket ends here and not in the pool's object, since all that it is about
 * stands in D1; the object is asked to say when the pool's settings change.
 */
import { prefectWorkerChannel } from "#protocol/channels";
import { AuthFrame, EVENTS_SUBPROTOCOL } from "#protocol/events";
import {
  PREFECT_CHANNEL_CLOSES,
  type PrefectChannelClose,
  PrefectWorkerHeartbeat,
  PrefectWorkerHello,
} from "#protocol/prefect-worker-channel";
import { type EpochMs, toWireTime } from "#protocol/time";
import { type KeyCheck, keyCheckOf, parseJson } from "../durable-objects/socket-handshake.ts";
import { WATCH_HEADER } from "../durable-objects/work-pool-object.ts";
import { recordHeartbeat, workPoolByName } from "./db/queries/work-pools.ts";
import { newId } from "./new-id.ts";
import { setUpWorker } from "./prefect-worker-setup.ts";

/** Changes that come within this span, in milliseconds, are told together. */
const COLLECT_MS = 200;
/** A worker that has not said hello by then is sent away. */
const SET_UP_WITHIN_MS = 10_000;

type Phase = "auth" | "hello" | "ready" | "closed";

export function openPrefectWorkerChannel(env: Env, request: Request, poolName: string): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  const asked = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const speaks = asked.includes(EVENTS_SUBPROTOCOL);
  server.accept();
  const channel = new PrefectWorkerConversation(env, server, poolName);
  if (speaks) channel.start();
  else channel.close("authentication_failed");
  const headers: HeadersInit = speaks ? { "sec-websocket-protocol": EVENTS_SUBPROTOCOL } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}

class PrefectWorkerConversation {
  readonly #env: Env;
  readonly #socket: WebSocket;
  readonly #poolName: string;
  readonly #check: KeyCheck;
  #phase: Phase = "auth";
  #watcher: WebSocket | null = null;
  #sequence = 1;
  /** The version of the pool that the worker was told last. */
  #toldUpdated = "";
  #isTelling = false;
  /** Frames are dealt with one after another. */
  #tail: Promise<void> = Promise.resolve();

  constructor(env: Env, socket: WebSocket, poolName: string) {
    this.#env = env;
    this.#socket = socket;
    this.#poolName = poolName;
    this.#check = keyCheckOf(env, prefectWorkerChannel);
  }

  start(): void {
    this.#socket.addEventListener("message", ({ data }) => {
      this.#tail = this.#tail
        .then(() => this.#receive(data))
        .catch((error: unknown) => {
          console.warn(`The channel of a worker of pool "${this.#poolName}" failed.`, error);
          this.close("transient_server_error");
        });
    });
    this.#socket.addEventListener("close", () => this.#end());
    this.#socket.addEventListener("error", () => this.#end());
    setTimeout(() => {
      if (this.#phase === "auth" || this.#phase === "hello") this.close("protocol_error");
    }, SET_UP_WITHIN_MS);
  }

  close(because: PrefectChannelClose): void {
    if (this.#phase === "closed") return;
    this.#end();
    this.#socket.close(PREFECT_CHANNEL_CLOSES[because], because);
  }

  #end(): void {
    this.#phase = "closed";
    this.#watcher?.close();
    this.#watcher = null;
  }

  async #receive(data: string | ArrayBuffer): Promise<void> {
    const frame = parseJson(data);
    switch (this.#phase) {
      case "auth":
        return this.#authenticate(frame);
      case "hello":
        return this.#hello(frame);
      case "ready":
        return this.#heartbeat(frame);
      case "closed":
        return;
    }
  }

  async #authenticate(frame: unknown): Promise<void> {
    const auth = AuthFrame.safeParse(frame);
    const refusal = auth.success && this.#check !== null ? await this.#check(auth.data.token ?? null) : null;
    if (!auth.success || refusal !== null) return this.close("authentication_failed");
    this.#phase = "hello";
    this.#socket.send(JSON.stringify({ type: "auth_success" }));
  }

  async #hello(frame: unknown): Promise<void> {
    const hello = PrefectWorkerHello.safeParse(frame);
    if (!hello.success) return this.close("protocol_error");
    const setup = await setUpWorker(this.#env, this.#poolName, hello.data);
    if (setup.kind === "refused") return this.close(setup.because);
    this.#toldUpdated = setup.pool.updated;
    await this.#watch();
    if (this.#isClosed()) return this.#end();
    this.#phase = "ready";
    this.#send("worker.ready.v1", setup.payload);
  }

  async #heartbeat(frame: unknown): Promise<void> {
    const beat = PrefectWorkerHeartbeat.safeParse(frame);
    if (!beat.success) return this.close("protocol_error");
    const pool = await workPoolByName(this.#env, this.#poolName);
    if (!pool) return this.close("authorization_failed");
    const { worker_name: name, heartbeat_interval_seconds } = beat.data.payload;
    await recordHeartbeat(this.#env, pool, { name, heartbeat_interval_seconds });
    // A change that the pool's object could not tell of is seen here.
    if (pool.updated !== this.#toldUpdated) void this.#tell("heartbeat_reconciliation");
  }

  /** Has the pool's object say when something changes. */
  async #watch(): Promise<void> {
    const headers = { Upgrade: "websocket", [WATCH_HEADER]: "1" };
    const stub = this.#env.WORK_POOLS.getByName(this.#poolName);
    const { webSocket } = await stub.fetch("https://pool/watch", { headers });
    if (!webSocket) throw new Error("The pool's object did not open a socket.");
    webSocket.accept();
    webSocket.addEventListener("message", () => void this.#tell("work_pool_updated"));
    // The object was reset, or its pool deleted: the worker connects again, or learns that there is no pool.
    webSocket.addEventListener("close", ({ reason }) => {
      this.close(reason === "deleted" ? "authorization_failed" : "transient_server_error");
    });
    this.#watcher = webSocket;
  }

  /** Sends the pool as it is, once for all changes that come together. */
  async #tell(reason: string): Promise<void> {
    if (this.#isTelling || this.#phase !== "ready") return;
    this.#isTelling = true;
    try {
      await scheduler.wait(COLLECT_MS);
      this.#isTelling = false;
      const pool = await workPoolByName(this.#env, this.#poolName);
      if (this.#isClosed()) return;
      if (!pool) return this.close("authorization_failed");
      this.#toldUpdated = pool.updated;
      this.#sequence += 1;
      this.#send("work_pool.snapshot.v1", { snapshot_sequence: this.#sequence, reason, work_pool: pool });
    } catch (error) {
      console.warn(`A worker of pool "${this.#poolName}" could not be told of a change.`, error);
      this.close("transient_server_error");
    } finally {
      this.#isTelling = false;
    }
  }

  #isClosed(): boolean {
    return this.#phase === "closed";
  }

  #send(type: string, payload: object): void {
    this.#socket.send(JSON.stringify({ type, id: newId(), sent_at: toWireTime(Date.now() as EpochMs), payload }));
  }
}
