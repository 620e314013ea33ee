/** The other end of the worker channel, as far as tests need one: it accepts, answers as told, and remembers. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { FlowRunId } from "../../../sdk/protocol/ids.ts";
import type { RunTicket, WorkerClientFrame, WorkerServerFrame } from "../../../sdk/protocol/worker-channel.ts";

export const RUN_ID = "01a1fcd3-d6d8-7000-8002-765f2ce24811" as FlowRunId;

/** A run whose process waits for an answer that the scripted pool does not give. */
export function ticket(generation: number): RunTicket {
  return {
    flow_run_id: RUN_ID,
    name: "silent-elm",
    generation,
    lease_ms: 30_000,
    deployment_id: null,
    entrypoint: "test/e2e/flows/steps.ts:steps",
    path: null,
    pull_steps: null,
    job_variables: {},
    work_queue_name: null,
    run_token: null,
  };
}

export interface Connection {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** All text messages, pings included. */
  readonly messages: string[];
  readonly frames: () => WorkerClientFrame[];
  send(frame: WorkerServerFrame): void;
}

export interface ScriptedPool extends AsyncDisposable {
  readonly url: string;
  readonly connections: readonly Connection[];
  /** How many times the process of a run has connected. */
  readonly runConnections: number;
  /** Whether the API says that the pool exists. */
  exists: boolean;
  /** What the API says of the pool, beside what is the same in every test. */
  document: { type?: string; base_job_template?: object };
  /** Asked of the API, in their order: `PATCH /api/work_pools/local {…}`. */
  readonly requests: string[];
  /** Whether the API answers 503. */
  isBusy: boolean;
  /** Whether claims that come back are taken. */
  takesBack: boolean;
  /** The status of every answer that changes something. */
  changes: number;
  /** Whether pings are answered. */
  answersPings: boolean;
  /** Whether hello is answered with welcome. */
  welcomes: boolean;
  /** Closes the server and all sockets at once, as a crash does; `listen` opens it again at the same address. */
  crash(): Promise<void>;
  listen(): Promise<void>;
}

export async function startScriptedPool(heartbeatMs = 5_000): Promise<ScriptedPool> {
  const connections: Connection[] = [];
  let port = 0;
  let runConnections = 0;
  let server = createServer();
  const pool: ScriptedPool = {
    get url() {
      return `http://127.0.0.1:${port}/api`;
    },
    connections,
    get runConnections() {
      return runConnections;
    },
    exists: true,
    document: {},
    requests: [],
    changes: 200,
    takesBack: false,
    isBusy: false,
    answersPings: true,
    welcomes: true,
    async crash() {
      for (const { socket } of connections) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async listen() {
      server = createServer(async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        const asked = `${request.method} ${request.url}`;
        const answer = (status: number, json: unknown): void => {
          response.writeHead(status, { "content-type": "application/json" });
          response.end(status === 204 ? "" : JSON.stringify(json));
        };
        if (asked === "GET /api/session" && !pool.isBusy) return answer(200, SESSION);
        pool.requests.push(`${asked} ${body}`.trim());
        const changes = asked === "POST /api/work_pools/" || request.method === "PATCH";
        if (pool.isBusy) return answer(503, { ...NOT_FOUND, code: "overloaded" });
        if (request.url?.startsWith("/api/collections/")) return answer(200, { sluice: TEMPLATES });
        // A request waits until the test is over, once its worker was welcomed.
        const polls = request.url === "/api/work_pools/local/poll";
        if (polls && JSON.parse(body).wait_ms > 0) return;
        if (polls) return answer(200, { frames: [welcome(heartbeatMs, pool.document)] });
        if (request.url?.endsWith("/give_back")) return answer(200, { given_back: pool.takesBack });
        if (changes && pool.changes >= 400) return answer(pool.changes, { ...NOT_FOUND, code: "forbidden" });
        if (asked === "POST /api/work_pools/") pool.exists = true;
        if (!request.url?.startsWith("/api/work_pools/") || !pool.exists) return answer(404, NOT_FOUND);
        answer(changes ? (request.method === "PATCH" ? 204 : 201) : 200, { ...POOL, ...pool.document });
      });
      const sockets = new WebSocketServer({ server });
      sockets.on("connection", (socket, request) => {
        // A run's process that connects is left without an answer: it waits.
        if (!request.url?.startsWith("/api/work_pools/")) {
          runConnections++;
          return;
        }
        const messages: string[] = [];
        const connection: Connection = {
          socket,
          request,
          messages,
          frames: () => messages.filter((text) => text !== "ping").map((text) => JSON.parse(text)),
          send: (frame) => socket.send(JSON.stringify(frame)),
        };
        connections.push(connection);
        socket.on("message", (data) => {
          const text = String(data);
          messages.push(text);
          if (text === "ping") {
            if (pool.answersPings) socket.send("pong");
          } else if (JSON.parse(text).type === "hello" && pool.welcomes)
            connection.send(welcome(heartbeatMs, pool.document));
        });
      });
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await pool.crash();
    },
  };
  await pool.listen();
  return pool;
}

const UUID = "01a1fcc5-69e9-7000-800f-c19bb9f3bb38";
const TIME = "2026-11-21T00:00:00.000000Z";

const POOL = {
  id: UUID,
  created: TIME,
  updated: TIME,
  name: "local",
  description: null,
  type: "process",
  base_job_template: {},
  is_paused: false,
  concurrency_limit: null,
  status: "READY",
  default_queue_id: UUID,
  storage_configuration: {},
  active_slots: null,
};
/** What the control plane knows of the types of pools. */
export const TEMPLATE = { variables: { properties: { command: {} } }, job_configuration: { command: "{{ command }}" } };
const TEMPLATES = { process: { type: "process", default_base_job_configuration: TEMPLATE } };
const SESSION = { role: "worker", by: "api_key", key_id: UUID, key_name: "worker", expires: null, open: false };
const NOT_FOUND = {
  code: "not_found",
  exception_message: "Work pool was not found.",
  detail: "",
  fix: "Check the name.",
};

function welcome(heartbeatMs: number, { base_job_template = {} }: ScriptedPool["document"]): WorkerServerFrame {
  const template = base_job_template as Record<string, unknown>;
  return {
    type: "welcome",
    protocol: 1,
    worker_id: UUID,
    heartbeat_interval_ms: heartbeatMs,
    base_job_template: template as never,
  };
}
