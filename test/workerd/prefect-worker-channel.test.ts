/** The channel of Prefect's own workers, as its client speaks it; upstream's own tests of it run in the conformance suite. */
import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import { aPool, call, freshName } from "./support/api.ts";
import { until } from "./support/runs.ts";

interface Frame {
  readonly type: string;
  readonly payload?: Record<string, unknown> & { readonly snapshot_sequence?: number };
}

class Channel {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.frames.push(JSON.parse(String(data))));
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed ??= { code, reason };
    });
    socket.accept();
  }

  static async open(pool: string, protocols = "prefect"): Promise<Channel> {
    const { webSocket } = await exports.default.fetch(`http://localhost:4200/api/work_pools/${pool}/workers/connect`, {
      headers: { Upgrade: "websocket", ...(protocols === "" ? {} : { "Sec-WebSocket-Protocol": protocols }) },
    });
    if (!webSocket) throw new Error("No socket.");
    return new Channel(webSocket);
  }

  send(type: string, payload?: object): void {
    const more = payload ? { id: crypto.randomUUID(), sent_at: new Date().toISOString(), payload } : { token: null };
    this.#socket.send(JSON.stringify({ type, ...more }));
  }

  hello(more: object = {}): void {
    this.send("auth");
    this.send("worker.hello.v1", {
      consumer_id: crypto.randomUUID(),
      worker_name: "pythonic",
      worker_type: "process",
      heartbeat_interval_seconds: 30,
      supported_channel_versions: ["work_pool_worker_channel.v1"],
      requested_capabilities: ["worker_heartbeat.v1", "work_pool_snapshot.v1", "cleanup_delivery.v1"],
      ...more,
    });
  }

  async frame(type: string, count = 1): Promise<Frame> {
    return until(`${count} of ${type}`, async () => this.frames.filter((frame) => frame.type === type)[count - 1]);
  }

  async end(): Promise<{ readonly code: number; readonly reason: string }> {
    return until("the close", async () => this.closed);
  }
}

describe("the channel of Prefect's workers", () => {
  it("answers hello with the pool and its queues, and has the worker online", async ({ expect }) => {
    const pool = await aPool();
    const channel = await Channel.open(pool.name);
    channel.hello();
    expect((await channel.frame("worker.ready.v1")).payload).toMatchObject({
      worker_id: null,
      rejected_capabilities: ["cleanup_delivery.v1"],
      resolved_work_queues: [{ name: "default" }],
      initial_snapshot: { snapshot_sequence: 1, reason: "initial", work_pool: { id: pool.id, status: "READY" } },
    });
    const workers = await call<{ name: string }[]>("POST", `/work_pools/${pool.name}/workers/filter`, {});
    expect(workers.body).toMatchObject([{ name: "pythonic", status: "ONLINE", heartbeat_interval_seconds: 30 }]);
  });

  it("tells of changes of the pool, once for those that come together, and of its end", async ({ expect }) => {
    const pool = await aPool();
    const channel = await Channel.open(pool.name);
    channel.hello();
    await channel.frame("worker.ready.v1");
    await call("PATCH", `/work_pools/${pool.name}`, { concurrency_limit: 1 });
    await call("PATCH", `/work_pools/${pool.name}`, { concurrency_limit: 2 });
    expect((await channel.frame("work_pool.snapshot.v1")).payload).toMatchObject({
      snapshot_sequence: 2,
      reason: "work_pool_updated",
      work_pool: { concurrency_limit: 2 },
    });
    await call("DELETE", `/work_pools/${pool.name}`);
    expect(await channel.end()).toEqual({ code: 1008, reason: "authorization_failed" });
  });

  it("makes the pool for a worker that asks for it, and nothing for one that is refused", async ({ expect }) => {
    const name = freshName("made");
    const refused = await Channel.open(name);
    refused.hello({ create_pool_if_not_found: true, work_queue_names: ["missing"] });
    expect(await refused.end()).toEqual({ code: 1008, reason: "authorization_failed" });
    expect((await call("GET", `/work_pools/${name}`)).status).toBe(404);
    const channel = await Channel.open(name);
    channel.hello({ create_pool_if_not_found: true });
    await channel.frame("worker.ready.v1");
    expect((await call("GET", `/work_pools/${name}`)).body).toMatchObject({ type: "process" });
  });

  it.for([
    ["an old version", { supported_channel_versions: ["v0"] }, { code: 1008, reason: "unsupported_version" }],
    ["too few capabilities", { requested_capabilities: ["x"] }, { code: 1002, reason: "protocol_error" }],
    ["a queue that is not there", { work_queue_names: ["no"] }, { code: 1008, reason: "authorization_failed" }],
  ] as const)("refuses %s", async ([, more, end], { expect }) => {
    const channel = await Channel.open((await aPool()).name);
    channel.hello(more);
    expect(await channel.end()).toEqual(end);
  });

  it("refuses who does not ask for the subprotocol, or does not show a key first", async ({ expect }) => {
    const pool = await aPool();
    const plain = await Channel.open(pool.name, "");
    expect(await plain.end()).toEqual({ code: 1008, reason: "authentication_failed" });
    const hasty = await Channel.open(pool.name);
    hasty.send("worker.hello.v1", {});
    expect(await hasty.end()).toEqual({ code: 1008, reason: "authentication_failed" });
  });
});
