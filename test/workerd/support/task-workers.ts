/** A task worker, as Prefect's client is one at `/task_runs/subscriptions/scheduled`; and background tasks for it. */
import { exports } from "cloudflare:workers";
import type { TaskRun } from "#protocol/task-runs";
import { call } from "./api.ts";
import { until } from "./runs.ts";

const PATH = "/api/task_runs/subscriptions/scheduled";

export class TaskWorkerClient {
  readonly received: TaskRun[] = [];
  readonly frames: Record<string, unknown>[] = [];
  readonly protocol: string | null;
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** As Prefect's client, which acknowledges before it executes. */
  acknowledgesAtOnce = false;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, protocol: string | null) {
    this.#socket = socket;
    this.protocol = protocol;
    socket.addEventListener("message", ({ data }) => {
      if (this.closed) return;
      const frame = JSON.parse(String(data)) as Record<string, unknown>;
      this.frames.push(frame);
      if (!("task_key" in frame)) return;
      this.received.push(frame as unknown as TaskRun);
      if (this.acknowledgesAtOnce) this.acknowledge();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed ??= { code, reason };
    });
    socket.accept();
  }

  /** Opens the socket and says nothing. */
  static async dial(headers: Record<string, string> = { "sec-websocket-protocol": "prefect" }, query = "") {
    const response = await exports.default.fetch(`http://localhost:4200${PATH}${query}`, {
      headers: { upgrade: "websocket", ...headers },
    });
    if (!response.webSocket) throw new Error(`No WebSocket: ${response.status}`);
    return new TaskWorkerClient(response.webSocket, response.headers.get("sec-websocket-protocol"));
  }

  static async connect(
    keys: readonly string[],
    clientId = "host-1",
    how: { readonly holder?: string; readonly inHand?: { readonly id: string; readonly task_key: string } } = {},
  ): Promise<TaskWorkerClient> {
    const client = await TaskWorkerClient.dial(undefined, how.holder === undefined ? "" : `?hold=${how.holder}`);
    client.send({ type: "auth", token: null });
    await until("auth_success", async () => client.frames.some(({ type }) => type === "auth_success"));
    client.send({ type: "subscribe", keys, client_id: clientId, in_hand: how.inHand ?? null });
    return client;
  }

  send(frame: unknown): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  acknowledge(): void {
    this.send({ type: "ack" });
  }

  /** Nothing that arrives after this is seen. */
  close(): void {
    this.closed ??= { code: 1000, reason: "left" };
    this.#socket.close(1000, "left");
  }

  async take(count = 1): Promise<TaskRun[]> {
    await until(`${count} tasks`, async () => this.received.length >= count);
    return this.received;
  }

  async waitForClose() {
    return until("close", async () => this.closed);
  }
}

/** Makes a background task, as `.delay()` does. */
export async function delay(taskKey: string, more: { readonly details?: object; readonly run?: string } = {}) {
  const { status, body } = await call<TaskRun>("POST", "/task_runs/", {
    name: "add",
    flow_run_id: more.run ?? null,
    task_key: taskKey,
    dynamic_key: crypto.randomUUID(),
    state: { type: "SCHEDULED", state_details: { deferred: true, ...more.details } },
  });
  if (status !== 201) throw new Error(`Not made: ${status} ${JSON.stringify(body)}`);
  return body;
}
