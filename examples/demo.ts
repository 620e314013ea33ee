/**
 * The demo: `npm run demo` starts a control plane and a worker, deploys the flow in `audit-packages.ts`, triggers it
 * through the API, shows what happens, and takes everything away again.
 *
 * `npm run demo -- --keep` leaves server and worker running. Exit code 0 says that the run was Completed.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ApiClient, createClient } from "../sdk/client/index.ts";
import { createDeployment, createFlowRunFromDeployment } from "../sdk/protocol/deployments.ts";
import { createFlow } from "../sdk/protocol/flows.ts";
import type { FlowRunId } from "../sdk/protocol/ids.ts";
import { readHealth } from "../sdk/protocol/server.ts";
import { createWorkPool } from "../sdk/protocol/work-pools.ts";
import { freePort, Program } from "./demo/program.ts";
import { heading, line, progress } from "./demo/screen.ts";
import { summarise, watch } from "./demo/watch.ts";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
const POOL = "demo";
const SERVER_WITHIN_MS = 60_000;

const [...unknown] = process.argv.slice(2).filter((word) => word !== "--keep");
if (unknown.length > 0) {
  console.error(`The demo does not know ${unknown.join(" ")}. It takes one option: --keep`);
  process.exit(2);
}
const keep = process.argv.includes("--keep");

const folder = await mkdtemp(join(tmpdir(), "sluice-demo-"));
/** In the order in which they are stopped. */
const programs: Program[] = [];

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (stopping) return;
    progress("");
    line(`${signal}: stopping …`);
    void end(signal === "SIGINT" ? 130 : 143, { keepFolder: false });
  });
}

try {
  const completed = await demo();
  if (completed && keep) leave();
  else await end(completed ? 0 : 1, { keepFolder: !completed });
} catch (error) {
  if (!stopping) {
    progress("");
    line();
    console.error(error instanceof Error ? error.message : error);
    await end(1, { keepFolder: true });
  }
}

async function demo(): Promise<boolean> {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const client = createClient({ url: origin });
  const environment = { SLUICE_API_URL: client.url };

  heading(`1. A control plane at ${origin}`);
  const data = join(folder, "data");
  await mkdir(data);
  const serverWords = ["server", "start", "--port", new URL(origin).port, "--data", data];
  const server = new Program("server", serverWords, join(folder, "server.log"));
  programs.push(server);
  const startedAt = performance.now();
  await healthy(client, server);
  line(`healthy after ${Math.round(performance.now() - startedAt)} ms, data in ${data}`);

  heading("2. A flow, a work pool and a deployment");
  const deploymentId = await deploy(client);

  heading("3. A worker");
  const worker = new Program("worker", ["worker", "start", "--pool", POOL], join(folder, "worker.log"), environment);
  programs.unshift(worker);
  line(`sluice worker start --pool ${POOL} (process ${worker.pid})`);

  heading("4. A run, triggered through the API");
  const created = await client.call(createFlowRunFromDeployment, {
    params: { id: deploymentId },
    body: { parameters: { root: PROJECT } },
  });
  line(`POST /api/deployments/${deploymentId}/create_flow_run → "${created.name}"`);
  const run = await watch(client, created.id as FlowRunId, async () => {
    await server.mustBeRunning();
    await worker.mustBeRunning();
  });
  await summarise(client, run);
  line();
  line(`The run: ${client.url}/flow_runs/${run.id}`);
  line(`The page of the server: ${origin}/`);
  return run.state_type === "COMPLETED";
}

async function healthy(client: ApiClient, server: Program): Promise<void> {
  const giveUpAt = performance.now() + SERVER_WITHIN_MS;
  for (;;) {
    await server.mustBeRunning();
    try {
      await client.call(readHealth, {}, { patienceMs: 0 });
      return;
    } catch (error) {
      // Not yet: what is wrong is told when the time is over.
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(25);
  }
}

async function deploy(client: ApiClient) {
  const flow = await client.call(createFlow, { body: { name: "audit-packages" } });
  const pool = await client.call(createWorkPool, { body: { name: POOL, type: "process" } });
  const deployment = await client.call(createDeployment, {
    body: {
      name: "demo",
      flow_id: flow.id,
      work_pool_name: pool.name,
      entrypoint: "examples/audit-packages.ts:auditPackages",
      path: PROJECT,
    },
  });
  line(
    `flow "${flow.name}", work pool "${pool.name}", deployment "${flow.name}/${deployment.name}" → ${deployment.entrypoint}`,
  );
  return deployment.id;
}

/** Leaves everything running and says how to go on. */
function leave(): void {
  const [worker, server] = programs;
  if (!worker || !server) return;
  for (const program of programs) program.leave();
  heading("Server and worker go on");
  line(`  stop them:    kill ${worker.pid} ${server.pid}   (data and logs stay in ${folder})`);
  line(`  run again:    npm run sluice -- deployment run audit-packages/demo --param root=${PROJECT} --watch`);
  line("                with SLUICE_API_URL set to the address of the API above");
  process.exit(0);
}

async function end(exitCode: number, { keepFolder }: { keepFolder: boolean }): Promise<never> {
  stopping = true;
  for (const program of programs) await program.stop();
  if (keepFolder) {
    line();
    line("The run was not Completed. What the programs wrote:");
    for (const { name, logFile } of programs) line(`  ${name}: ${logFile}`);
  } else await rm(folder, { recursive: true, force: true });
  process.exit(exitCode);
}
