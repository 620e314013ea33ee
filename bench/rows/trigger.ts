/**
 * From the trigger to Completed: a deployment's run is created over HTTP, claimed by a connected worker, reports three
 * steps and ends. The driver speaks the worker channel and the run channel itself, in this process; the second row
 * has a real `sluice worker start` that starts a Node process for each run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type Conversation, converse, taskReport } from "../channel.ts";
import { type JsonClient, jsonClient } from "../http.ts";
import { load } from "../load.ts";
import { type MeasuredServer, startMeasuredServer } from "../server.ts";
import { until } from "../substrate/start.ts";
import { type Bench, perSecond, type Row } from "./row.ts";

const STEPS = 3;
const POOL = "bench";

interface Ticket {
  readonly flow_run_id: string;
  readonly generation: number;
}

export const trigger: Bench = {
  name: "trigger",
  async *run({ budget }) {
    {
      await using server = await startMeasuredServer();
      const client = jsonClient(server.origin);
      const deployment = await deploy(client, "bench/driver.ts:none");
      const driver = await startDriver(server.origin);
      const one = await load(1, 4_000 * budget, () => driver.run(client, deployment));
      const many = await load(50, 4_000 * budget, () => driver.run(client, deployment));
      driver.stop();
      client.close();
      yield* [
        {
          name: "trigger → claim → 3 recorded steps → Completed, 1 caller, driver",
          figure: `p50 ${one.p50Ms.toFixed(2)} ms, p99 ${one.p99Ms.toFixed(2)} ms (${one.failures} failed)`,
          ratio: "–",
          aim: "p50 under 5 ms",
        },
        {
          name: "the same, 50 callers",
          figure: `${perSecond(many.rate)} runs, p50 ${many.p50Ms.toFixed(1)} ms (${many.failures} failed)`,
          ratio: `${(many.rate / one.rate).toFixed(1)} times one caller`,
          aim: "–",
        },
      ];
    }
    yield await realWorker(budget, "a fresh Node process per run", []);
    yield await realWorker(budget, "a Node process per run, started beforehand", ["--warm", "4"]);
  },
};

async function deploy(client: JsonClient, entrypoint: string): Promise<string> {
  const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "bench" });
  await client.call("POST", "/api/work_pools/", { name: POOL, type: "process" });
  const deployment = await client.call<{ id: string }>("POST", "/api/deployments/", {
    name: "bench",
    flow_id: flow.body.id,
    work_pool_name: POOL,
    entrypoint,
    path: process.cwd(),
  });
  return deployment.body.id;
}

/** A worker of unlimited size that plays the runs itself. */
async function startDriver(
  origin: string,
): Promise<{ run(client: JsonClient, deployment: string): Promise<void>; stop(): void }> {
  const ws = origin.replace("http", "ws");
  const worker = await converse(`${ws}/api/work_pools/${POOL}/channel`);
  worker.send({ type: "hello", protocol: 1, worker_name: "driver", worker_type: "process", limit: 1_000 });
  await worker.next();
  const done = new Map<string, () => void>();
  const finished = new Set<string>();
  let stopped = false;
  const loop = async (): Promise<void> => {
    while (!stopped) {
      const frame = await worker.next<{ type: string; ticket: Ticket }>();
      if (frame.type === "run") void play(ws, worker, frame.ticket).then(() => settle(frame.ticket.flow_run_id));
    }
  };
  const settle = (id: string): void => {
    const resolve = done.get(id);
    if (resolve) resolve();
    else finished.add(id);
    done.delete(id);
  };
  void loop();
  return {
    async run(client, deployment) {
      const created = await client.call<{ id: string }>("POST", `/api/deployments/${deployment}/create_flow_run`, {});
      if (created.status !== 201) throw new Error(`create_flow_run answered ${created.status}`);
      const id = created.body.id;
      if (finished.delete(id)) return;
      await new Promise<void>((resolve) => done.set(id, resolve));
    },
    stop() {
      stopped = true;
      worker.close();
    },
  };
}

async function play(ws: string, worker: Conversation, { flow_run_id: id, generation }: Ticket): Promise<void> {
  const channel = await converse(`${ws}/api/flow_runs/${id}/channel`);
  channel.send({ type: "hello", protocol: 1, session: crypto.randomUUID(), generation });
  await channel.next();
  channel.send({ type: "propose", id: 1, state: { type: "RUNNING" } });
  await channel.next();
  for (let n = 1; n <= STEPS; n++) {
    channel.send({ type: "batch", n, items: [taskReport(n, ["RUNNING", "COMPLETED"])] });
    await channel.next();
  }
  channel.send({ type: "propose", id: 2, state: { type: "COMPLETED" } });
  await channel.next();
  channel.close();
  worker.send({ type: "released", flow_run_id: id, generation });
}

async function realWorker(budget: number, how: string, words: readonly string[]): Promise<Row> {
  await using server = await startMeasuredServer();
  const client = jsonClient(server.origin);
  const deployment = await deploy(client, "examples/hello.ts:hello");
  const worker = startWorker(server, words);
  try {
    const one = await load(1, 8_000 * budget, async () => {
      const created = await client.call<{ id: string }>("POST", `/api/deployments/${deployment}/create_flow_run`, {});
      await until(
        async () => {
          const run = await client.call<{ state_type: string }>("GET", `/api/flow_runs/${created.body.id}`);
          return run.body.state_type === "COMPLETED";
        },
        20_000,
        "the run is Completed",
      );
    });
    return {
      name: `trigger → Completed by a real process worker (${how}), 1 caller`,
      figure: `p50 ${one.p50Ms.toFixed(0)} ms, p99 ${one.p99Ms.toFixed(0)} ms (${one.failures} failed)`,
      ratio: "–",
      aim: "–",
    };
  } finally {
    worker.kill("SIGTERM");
    client.close();
  }
}

function startWorker(server: MeasuredServer, words: readonly string[]): ChildProcess {
  const cli = new URL("../../sdk/cli/main.ts", import.meta.url).pathname;
  return spawn(process.execPath, [cli, "worker", "start", "--pool", POOL, ...words], {
    stdio: "ignore",
    env: { ...process.env, SLUICE_API_URL: `${server.origin}/api` },
  });
}
