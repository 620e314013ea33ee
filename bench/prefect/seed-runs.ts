/** A hundred thousand flow runs of the last thirty days, the same for every server, made from their number alone. */
import type { JsonClient } from "../http.ts";

export const RUNS = 100_000;
const FLOWS = 20;
const DEPLOYMENTS = 40;
const DAY_MS = 86_400_000;
export const DAYS = 30;
/** Of a hundred runs. */
const STATES = [
  { below: 90, type: "COMPLETED", name: "Completed" },
  { below: 95, type: "FAILED", name: "Failed" },
  { below: 97, type: "CANCELLED", name: "Cancelled" },
  { below: 98, type: "CRASHED", name: "Crashed" },
  { below: 99, type: "RUNNING", name: "Running" },
  { below: 100, type: "PENDING", name: "Pending" },
] as const;

export interface SeededRun {
  readonly id: string;
  readonly flow_id: string;
  readonly deployment_id: string | null;
  readonly name: string;
  readonly tags: readonly string[];
  readonly state_id: string;
  readonly state_type: string;
  readonly state_name: string;
  /** Epoch ms, as all times here. */
  readonly expected_start_time: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
}

/** What the runs belong to, made through the API. */
export interface Owners {
  readonly flows: readonly string[];
  readonly deployments: readonly { readonly id: string; readonly flow_id: string }[];
}

export async function createOwners(client: JsonClient): Promise<Owners> {
  const flows: string[] = [];
  for (let index = 0; index < FLOWS; index++) {
    flows.push((await client.call<{ id: string }>("POST", "/api/flows/", { name: `seeded-${index}` })).body.id);
  }
  const deployments: { id: string; flow_id: string }[] = [];
  for (let index = 0; index < DEPLOYMENTS; index++) {
    const flowId = flows[index % FLOWS] ?? "";
    const asked = { name: `seeded-${index}`, flow_id: flowId };
    deployments.push({
      id: (await client.call<{ id: string }>("POST", "/api/deployments/", asked)).body.id,
      flow_id: flowId,
    });
  }
  return { flows, deployments };
}

/** Run `index` of `RUNS`; `endMs` is the time of the newest. A fifth of them have no deployment. */
export function seededRun(index: number, { flows, deployments }: Owners, endMs: number): SeededRun {
  const spread = (index * 7_919) % 100;
  const state = STATES.find(({ below }) => spread < below) ?? STATES[0];
  const deployment = index % 5 === 0 ? null : deployments[index % deployments.length];
  const expected = endMs - Math.round(((RUNS - index) / RUNS) * DAYS * DAY_MS);
  const started = state.type === "PENDING" ? null : expected + (index % 40) * 100;
  const isRunning = state.type === "RUNNING" || started === null;
  return {
    id: uuid7(expected, index),
    flow_id: deployment?.flow_id ?? flows[index % flows.length] ?? "",
    deployment_id: deployment?.id ?? null,
    name: `${["brisk", "calm", "eager", "grand"][index % 4]}-heron-${index}`,
    tags: index % 10 === 0 ? ["nightly", `team-${index % 7}`] : [],
    state_id: uuid7(expected + 1, index),
    state_type: state.type,
    state_name: state.name,
    expected_start_time: expected,
    start_time: started,
    end_time: isRunning || started === null ? null : started + 1_000 + (index % 600) * 100,
  };
}

function uuid7(timeMs: number, index: number): string {
  const time = timeMs.toString(16).padStart(12, "0");
  const random = index.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${random}`;
}
