/**
 * A control plane that fits into a test: flows, flow runs, artifacts and the run channel over real HTTP and real
 * WebSockets on the loopback, decided by the real machine, with faults that a test asks for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { decide } from "#machine/decide";
import { ownRunPolicy } from "#machine/policies/flow-run";
import type { FlowRunRecord } from "#machine/rule";
import { type FlowRun, FlowRunCreate, FlowRunPolicy } from "#protocol/flow-runs";
import { FlowRunId, makeUuid, StateId } from "#protocol/ids";
import { type ChannelItem, RunClientFrame, type RunServerFrame } from "#protocol/run-channel";
import { NO_DETAILS, type State, StateCreate } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";

/** What becomes of one frame: handled, lost before it was handled, or handled and its answer lost. */
export type Fate = "deliver" | "lose" | "lose-answer";

interface Faults {
  /** Asked for each frame; the connection is dropped with whatever is lost. */
  fate: (frame: RunClientFrame) => Fate;
  /** Refuses WebSockets, as some proxies do. */
  refusesSockets: boolean;
  /** Does not answer pings. */
  deaf: boolean;
  /** Answers all requests with this status. */
  status: number | null;
}

/** What the owner stored, in its order: items of batches, and names of accepted states. */
type Stored = ChannelItem | { readonly kind: "state"; readonly name: string };

export interface TinyRun {
  readonly id: FlowRunId;
  record: FlowRunRecord;
  states: State[];
  stored: Stored[];
  frames: RunClientFrame[];
  session: string | null;
  acked: number;
  generation: number;
  parameters: Record<string, unknown>;
  labels: Record<string, unknown>;
  document: Partial<FlowRun>;
}

export interface TinyControlPlane extends AsyncDisposable {
  readonly url: string;
  readonly faults: Faults;
  readonly runs: Map<string, TinyRun>;
  readonly artifacts: unknown[];
  /** Claims that were given back; `takesBack` says whether they are taken. */
  readonly givenBack: { readonly generation: number; readonly reason: string }[];
  takesBack: boolean;
  /** As they were posted. */
  readonly events: Record<string, unknown>[];
  readonly requests: string[];
  /** Sockets that were opened so far. */
  sockets: number;
  /** Sockets that are open now. */
  readonly openSockets: number;
  heartbeatMs: number;
  createRun(options?: {
    generation?: number;
    parameters?: Record<string, unknown>;
    labels?: Record<string, unknown>;
    /** Fields of the run as it is answered, in place of blank ones. */
    document?: Partial<FlowRun>;
  }): TinyRun;
  /** Sets a state by hand and, when somebody is connected, tells of a cancellation. */
  setState(run: TinyRun, type: StateCreate["type"]): void;
  dropConnections(): void;
}

export async function tinyControlPlane(): Promise<TinyControlPlane> {
  const http = createServer((request, response) => void serve(request, response));
  const sockets = new WebSocketServer({ noServer: true });
  const open = new Map<WebSocket, TinyRun>();
  const now = (): EpochMs => Date.now() as EpochMs;
  const newId = (): string =>
    makeUuid({ at: now(), shard: 0, windowsBack: 0, random: crypto.getRandomValues(new Uint8Array(10)) });

  http.on("upgrade", (request, socket, head) => {
    const run = plane.runs.get(/flow_runs\/([^/]+)\/channel/.exec(request.url ?? "")?.[1] ?? "");
    if (plane.faults.refusesSockets || plane.faults.status !== null || run === undefined) {
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      plane.sockets++;
      open.set(client, run);
      client.on("close", () => open.delete(client));
      client.on("message", (data) => {
        const text = String(data);
        if (text === "ping") {
          if (!plane.faults.deaf) client.send("pong");
          return;
        }
        if (client.readyState !== client.OPEN) return;
        const frame = RunClientFrame.parse(JSON.parse(text));
        const fate = plane.faults.fate(frame);
        const answers = fate === "lose" ? [] : handle(run, frame);
        if (fate !== "deliver") client.terminate();
        else for (const answer of answers) client.send(JSON.stringify(answer));
      });
    });
  });

  function handle(run: TinyRun, frame: RunClientFrame): RunServerFrame[] {
    run.frames.push(frame);
    switch (frame.type) {
      case "hello": {
        if ((frame.generation ?? 0) !== run.generation) {
          return [{ type: "error", code: "stale_generation", message: "Another claim was made.", fix: "Stop." }];
        }
        if (run.session !== frame.session) {
          run.session = frame.session;
          run.acked = 0;
        }
        return [
          {
            type: "welcome",
            protocol: 1,
            run: document(run) as never,
            generation: run.generation,
            heartbeat_interval_ms: plane.heartbeatMs,
            acked: run.acked,
          },
        ];
      }
      case "batch":
        if (frame.n > run.acked) {
          run.acked = frame.n;
          run.stored.push(...frame.items);
        }
        return [{ type: "ack", n: frame.n }];
      case "propose":
        return [{ type: "verdict", id: frame.id, result: propose(run, frame.state) }];
      default:
        return frame satisfies never;
    }
  }

  function propose(run: TinyRun, to: StateCreate) {
    const { result, written } = decide(
      ownRunPolicy(to),
      { from: run.record.state, to },
      { now: now(), run: run.record, reservation: { kind: "granted", leaseId: null }, mayHaveTwoProcesses: false },
      { stateId: StateId.parse(newId()) },
    );
    if (written) enter(run, written.run, written.state);
    return result;
  }

  function enter(run: TinyRun, record: FlowRunRecord, state: State): void {
    run.record = record;
    run.states.push(state);
    run.stored.push({ kind: "state", name: state.name });
  }

  function document(run: TinyRun): Record<string, unknown> {
    const at = toWireTime(now());
    return {
      ...BLANK_RUN,
      id: run.id,
      created: at,
      updated: at,
      name: "tiny-run",
      flow_id: run.id,
      parameters: run.parameters,
      labels: run.labels,
      ...run.document,
      empirical_policy: run.record.policy,
      state_id: run.record.state?.id ?? null,
      state_type: run.record.state?.type ?? null,
      state_name: run.record.state?.name ?? null,
      run_count: run.record.runCount,
      state: run.record.state,
    };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = `${request.method} ${request.url}`;
    plane.requests.push(path);
    let text = "";
    for await (const chunk of request) text += chunk;
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === undefined ? "" : JSON.stringify(body));
    };
    if (plane.faults.status !== null) return answer(plane.faults.status, {});
    const body: unknown = text === "" ? null : JSON.parse(text);
    const at = toWireTime(now());
    if (path === "POST /api/flows/") {
      const { name } = body as { name: string };
      return answer(201, { id: newId(), created: at, updated: at, name, tags: [], labels: {} });
    }
    if (path === "POST /api/flow_runs/") {
      const created = FlowRunCreate.parse(body);
      const run = plane.createRun({ parameters: created.parameters });
      run.record = { ...run.record, policy: created.empirical_policy };
      return answer(201, document(run));
    }
    if (path === "POST /api/artifacts/") {
      plane.artifacts.push(body);
      const blank = { metadata_: null, key: null, description: null, flow_run_id: null, task_run_id: null };
      return answer(201, { ...blank, id: newId(), created: at, updated: at, ...(body as object) });
    }
    if (path === "POST /api/events") {
      plane.events.push(...(body as Record<string, unknown>[]));
      return answer(204, undefined);
    }
    const [, id, verb] = /^\/api\/flow_runs\/([^/]+)(\/frames|\/labels|\/give_back)?$/.exec(request.url ?? "") ?? [];
    const run = plane.runs.get(id ?? "");
    if (run && verb === undefined && request.method === "GET") return answer(200, document(run));
    if (run && verb === "/give_back") {
      plane.givenBack.push(body as TinyControlPlane["givenBack"][number]);
      return answer(200, { given_back: plane.takesBack });
    }
    if (run && verb === "/labels") {
      run.labels = { ...run.labels, ...(body as object) };
      return answer(204, undefined);
    }
    if (run && request.method === "PATCH") {
      const { empirical_policy } = body as { empirical_policy: unknown };
      run.record = { ...run.record, policy: FlowRunPolicy.parse(empirical_policy) };
      return answer(204, undefined);
    }
    if (run && verb) {
      const frames: RunServerFrame[] = [];
      for (const one of (body as { frames: unknown[] }).frames) {
        const frame = RunClientFrame.parse(one);
        const fate = plane.faults.fate(frame);
        if (fate !== "lose") frames.push(...handle(run, frame));
        if (fate !== "deliver") {
          request.socket.destroy();
          return;
        }
      }
      return answer(200, { frames });
    }
    const missing = { code: "not_found", exception_message: "No such thing.", detail: "No such thing.", fix: "Look." };
    answer(404, missing);
  }

  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  const { port } = http.address() as AddressInfo;
  const plane: TinyControlPlane = {
    url: `http://127.0.0.1:${port}/api`,
    faults: { fate: () => "deliver", refusesSockets: false, deaf: false, status: null },
    runs: new Map(),
    artifacts: [],
    events: [],
    givenBack: [],
    takesBack: false,
    requests: [],
    sockets: 0,
    get openSockets() {
      return open.size;
    },
    heartbeatMs: 10_000,
    createRun({ generation = 0, parameters = {}, labels = {}, document = {} } = {}) {
      const id = FlowRunId.parse(newId());
      const record: FlowRunRecord = {
        flowRunId: id,
        state: null,
        runCount: 0,
        totalRunTimeMs: 0,
        startTime: null,
        endTime: null,
        expectedStartTime: null,
        nextScheduledStartTime: null,
        policy: FlowRunPolicy.parse({}),
        deploymentId: null,
        parentTaskRunId: null,
        infrastructurePid: null,
        pooled: false,
      };
      const run: TinyRun = {
        id,
        record,
        states: [],
        stored: [],
        frames: [],
        session: null,
        acked: 0,
        generation,
        document,
        parameters,
        labels,
      };
      propose(run, StateCreate.parse({ type: "PENDING" }));
      plane.runs.set(id, run);
      return run;
    },
    setState(run, type) {
      const name = type.charAt(0) + type.slice(1).toLowerCase();
      const state: State = {
        id: StateId.parse(newId()),
        type,
        name,
        timestamp: toWireTime(now()),
        message: null,
        data: null,
        state_details: { ...NO_DETAILS, flow_run_id: run.id },
      };
      enter(run, { ...run.record, state }, state);
      if (type !== "CANCELLING") return;
      for (const [client, of] of open) {
        if (of === run) client.send(JSON.stringify({ type: "control", action: "cancel", state }));
      }
    },
    dropConnections() {
      for (const client of open.keys()) client.terminate();
    },
    async [Symbol.asyncDispose]() {
      plane.dropConnections();
      sockets.close();
      http.closeAllConnections();
      await new Promise((done) => http.close(done));
    },
  };
  return plane;
}

export const BLANK_RUN = {
  deployment_id: null,
  deployment_version: null,
  work_queue_id: null,
  work_queue_name: null,
  work_pool_id: null,
  work_pool_name: null,
  flow_version: null,
  idempotency_key: null,
  context: {},
  tags: [],
  labels: {},
  parent_task_run_id: null,
  expected_start_time: null,
  next_scheduled_start_time: null,
  start_time: null,
  end_time: null,
  total_run_time: 0,
  estimated_run_time: 0,
  estimated_start_time_delta: 0,
  auto_scheduled: false,
  infrastructure_document_id: null,
  infrastructure_pid: null,
  created_by: null,
  job_variables: null,
};
