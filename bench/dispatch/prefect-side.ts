/** The same of `prefect server start` with `prefect worker start`, as they are by default: the worker asks every ten seconds. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { prefectEnvironment, startPrefect } from "../../test/prefect/servers.ts";
import { prefectPython } from "../../test/prefect/venv.ts";
import { type JsonClient, jsonClient } from "../http.ts";
import type { Row } from "../rows/row.ts";
import { until } from "../substrate/start.ts";
import { firstLines } from "./first-lines.ts";
import { now, POOL, shares } from "./setting.ts";

const FLOWS = fileURLToPath(new URL(".", import.meta.url));
const SCHEDULED = 200;
const SCHEDULED_BY_MS = 180_000;
const LOOK_MS = 250;

export async function* prefectRows(budget: number): AsyncGenerator<Row> {
  await using server = await startPrefect();
  const client = patient(jsonClient(new URL(server.apiUrl).origin, { connections: 8 }));
  const home = await mkdtemp(join(tmpdir(), "sluice-bench-prefect-"));
  const words = ["-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"];
  const env = prefectEnvironment(home, { PREFECT_API_URL: server.apiUrl });
  const worker = spawn(await prefectPython(), words, { stdio: "ignore", env });
  try {
    const deploymentId = await deploy(client);
    const trigger = async (trace: string): Promise<string> => {
      const path = `/api/deployments/${deploymentId}/create_flow_run`;
      const state = { type: "SCHEDULED" };
      return (await client.call<{ id: string }>("POST", path, { state, parameters: { trace } })).body.id;
    };
    const claims: number[] = [];
    const lines = await firstLines(Math.ceil(5 * budget), async (trace) => {
      const begin = now();
      const id = await trigger(trace);
      await until(async () => (await stateOf(client, id)) !== "SCHEDULED", 60_000, "the run is claimed");
      claims.push(now() - begin);
    });
    const none = { ratio: "–", aim: "–" };
    yield { name: "Prefect: trigger → claim by `prefect worker start`", figure: shares(claims, 0), ...none };
    yield { name: "Prefect: trigger → first line of user code", figure: shares(lines, 0), ...none };
    yield await scheduledRow(client);
  } finally {
    worker.kill("SIGTERM");
    client.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Its server closes connections that were idle for five seconds, now and then under a request: that is sent again. */
function patient(client: JsonClient): JsonClient {
  const call: JsonClient["call"] = async (method, path, body) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await client.call(method, path, body);
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  };
  return { call, close: () => client.close() };
}

async function deploy(client: JsonClient): Promise<string> {
  const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "first-line" });
  await client.call("POST", "/api/work_pools/", { name: POOL, type: "process" });
  const deployment = await client.call<{ id: string }>("POST", "/api/deployments/", {
    name: "bench",
    flow_id: flow.body.id,
    work_pool_name: POOL,
    entrypoint: "first_line.py:first_line",
    path: FLOWS,
    parameter_openapi_schema: {},
  });
  return deployment.body.id;
}

async function stateOf(client: JsonClient, id: string): Promise<string> {
  return (await client.call<{ state_type: string }>("GET", `/api/flow_runs/${id}`)).body.state_type;
}

/** Its scheduler looks for new deployments every five seconds. */
async function scheduledRow(client: JsonClient): Promise<Row> {
  const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "scheduled" });
  const schedules = [{ schedule: { cron: "0 * * * *", timezone: "Europe/London" } }];
  const begin = performance.now();
  for (let index = 0; index < SCHEDULED; index++) {
    await client.call("POST", "/api/deployments/", { name: `d-${index}`, flow_id: flow.body.id, schedules });
  }
  const madeMs = performance.now() - begin;
  const body = { flows: { id: { any_: [flow.body.id] } } };
  const count = async () => (await client.call<number>("POST", "/api/flow_runs/count", body)).body;
  let runs = await count();
  let lastAt = performance.now();
  // It leaves some of them out for a while when many are made at once: what is there when nothing more comes counts.
  while (runs < 3 * SCHEDULED && performance.now() - begin < SCHEDULED_BY_MS) {
    await sleep(LOOK_MS);
    const now = await count();
    if (now > runs) lastAt = performance.now();
    runs = now;
  }
  return {
    name: `Prefect: ${SCHEDULED} deployments with a schedule, until each has three runs ahead`,
    figure: `${runs} of ${3 * SCHEDULED} runs, the last after ${((lastAt - begin) / 1_000).toFixed(1)} s, of which ${(madeMs / 1_000).toFixed(1)} s to make the deployments`,
    ratio: "–",
    aim: "–",
  };
}
