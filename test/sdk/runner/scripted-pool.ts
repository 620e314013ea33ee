/** The other end of the worker channel, as far as tests need one: it accepts, answers as told, and remembers. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { WorkerClientFrame, WorkerServerFrame } from "../../../sdk/protocol/worker-channel.ts";

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
    answersPings: true,
    welcomes: true,
    async crash() {
      for (const { socket } of connections) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async listen() {
      server = createServer((request, response) => {
        const isSession = request.url === "/api/session";
        const isFound = isSession || (request.url?.startsWith("/api/work_pools/") && pool.exists);
        response.writeHead(isFound ? 200 : 404, { "content-type": "application/json" });
        response.end(JSON.stringify(isSession ? SESSION : isFound ? POOL : NOT_FOUND));
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
          } else if (JSON.parse(text).type === "hello" && pool.welcomes) connection.send(welcome(heartbeatMs));
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
const SESSION = { role: "worker", by: "api_key", key_id: UUID, key_name: "worker", expires: null, open: false };
const NOT_FOUND = {
  code: "not_found",
  exception_message: "Work pool was not found.",
  detail: "",
  fix: "Check the name.",
};

function welcome(heartbeatMs: number): WorkerServerFrame {
  return { type: "welcome", protocol: 1, worker_id: UUID, heartbeat_interval_ms: heartbeatMs, base_job_template: {} };
}
