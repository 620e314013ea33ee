/** Whole lives of flow runs over HTTP: create → PENDING → RUNNING → COMPLETED, four requests one after another. */
import { type JsonClient, jsonClient } from "../http.ts";
import { load, percentiles } from "../load.ts";
import { startMeasuredServer } from "../server.ts";
import { startSubstrate } from "../substrate/start.ts";
import { type Bench, perSecond } from "./row.ts";

const STEPS = ["PENDING", "RUNNING", "COMPLETED"] as const;
const AIMS = { 1: "120/s", 16: "550/s", 64: "850/s" } as const;

export const lifecycles: Bench = {
  name: "lifecycles",
  async *run({ budget }) {
    await using server = await startMeasuredServer();
    await using bare = await startSubstrate();
    const client = jsonClient(server.origin);
    const bareClient = jsonClient(bare.origin);
    const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "bench" });
    for (const callers of [1, 16, 64] as const) {
      const durationMs = 4_000 * budget;
      const base = await load(callers, durationMs / 2, () => insertRow(bareClient));
      const stepMs: Record<string, number[]> = { create: [], PENDING: [], RUNNING: [], COMPLETED: [] };
      const result = await load(callers, durationMs, () => lifecycle(client, flow.body.id, stepMs));
      const steps = Object.entries(stepMs).map(([step, values]) => {
        const { p50Ms, p99Ms } = percentiles(values);
        return `${step} ${p50Ms.toFixed(1)}/${p99Ms.toFixed(1)}`;
      });
      yield {
        name: `flow-run lifecycles, ${callers} caller${callers === 1 ? "" : "s"}`,
        figure: `${perSecond(result.rate)} (ms p50/p99: ${steps.join(", ")}; ${result.failures} failed)`,
        // Four requests make a lifecycle, so parity with one bare insert a request would be a quarter of its rate.
        ratio: `${(result.rate / (base.rate / 4)).toFixed(2)} of bare object inserts ÷ 4 (${perSecond(base.rate)})`,
        aim: AIMS[callers],
      };
    }
    client.close();
    bareClient.close();
  },
};

async function insertRow(client: JsonClient): Promise<void> {
  const answer = await client.call("POST", "/insert", { state: "RUNNING", message: "a row of the size of a state" });
  if (answer.status !== 200) throw new Error(`The bare substrate answered ${answer.status}.`);
}

async function lifecycle(client: JsonClient, flowId: string, stepMs: Record<string, number[]>): Promise<void> {
  let begin = performance.now();
  const note = (step: string): void => {
    const now = performance.now();
    stepMs[step]?.push(now - begin);
    begin = now;
  };
  const created = await client.call<{ id: string }>("POST", "/api/flow_runs/", {
    flow_id: flowId,
    parameters: { n: 1 },
    state: { type: "SCHEDULED" },
  });
  if (created.status !== 201) throw new Error(`create answered ${created.status}`);
  note("create");
  for (const type of STEPS) {
    const path = `/api/flow_runs/${created.body.id}/set_state`;
    const answer = await client.call<{ status: string }>("POST", path, { state: { type } });
    if (answer.body.status !== "ACCEPT") throw new Error(`${type} answered ${answer.status} ${answer.body.status}`);
    note(type);
  }
}
