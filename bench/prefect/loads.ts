/** What clients do to a server all day: create runs and move them through their states. */
import type { JsonClient } from "../http.ts";
import type { Contender } from "./contenders.ts";
import type { Measure, Scoreboard } from "./scoreboard.ts";
import { type Caller, type Faults, Refused, slice, withClient } from "./slice.ts";

/** One kind of load; it is played for each contender in each round. */
export type Load = (context: LoadContext) => Promise<void>;

export interface LoadContext {
  readonly contender: Contender;
  readonly board: Scoreboard;
  readonly faults: Faults;
  readonly durationMs: number;
}

const STEPS = ["PENDING", "RUNNING", "COMPLETED"] as const;
const CREATE_CALLERS = 16;
const SET_STATE_CALLERS = 32;
/** The number of callers at which processor time is taken. */
const CPU_CALLERS = 16;
const AIMS = { 1: 15, 16: 50, 64: 60 } as const;

const CREATED: Measure = higher(`create flow run, ${CREATE_CALLERS} callers`);
const LIFECYCLES = {
  1: higher("full lifecycle, 1 caller", AIMS[1]),
  16: higher("full lifecycle, 16 callers", AIMS[16]),
  64: higher("full lifecycle, 64 callers", AIMS[64]),
};
const CPU: Measure = {
  name: `CPU of all its processes for 1,000 lifecycles, ${CPU_CALLERS} callers`,
  unit: "s",
  better: "lower",
  aim: null,
};
const SET_STATES: Measure = higher(`set_state, ${SET_STATE_CALLERS} callers`);
const SET_STATE_P50: Measure = { name: "set_state p50", unit: "ms", better: "lower", aim: null };
const SET_STATE_P99: Measure = { name: "set_state p99", unit: "ms", better: "lower", aim: null };

function higher(name: string, times?: number): Measure {
  return { name, unit: "/s", better: "higher", aim: times === undefined ? null : { times } };
}

/** The flow that loads make runs of: the same name gives the same flow. */
export async function flowOf(client: JsonClient): Promise<string> {
  return (await client.call<{ id: string }>("POST", "/api/flows/", { name: "bench" })).body.id;
}

export const createFlowRuns: Load = async ({ board, ...context }) => {
  const flowId = await withClient(context.contender, flowOf);
  const { rate } = await slice({ ...context, callers: CREATE_CALLERS }, async (caller) => {
    await create(caller, flowId);
  });
  board.add(CREATED, context.contender.name, rate);
};

export function lifecycles(callers: 1 | 16 | 64): Load {
  return async ({ board, ...context }) => {
    const { contender } = context;
    const flowId = await withClient(contender, flowOf);
    const cpuBefore = await contender.cpuSeconds();
    const { rate, completed } = await slice({ ...context, callers }, async (caller) => {
      const id = await create(caller, flowId);
      for (const type of STEPS) await propose(caller, id, type);
    });
    board.add(LIFECYCLES[callers], contender.name, rate);
    if (callers !== CPU_CALLERS) return;
    board.add(CPU, contender.name, (((await contender.cpuSeconds()) - cpuBefore) * 1000) / completed);
  };
}

/** Each caller moves a run of its own to and fro, by force, so that nothing but `set_state` is in the load. */
export const setStates: Load = async ({ board, ...context }) => {
  const { contender } = context;
  const runs = await withClient(contender, async (client) => {
    const flowId = await flowOf(client);
    const ids: string[] = [];
    while (ids.length < SET_STATE_CALLERS) {
      const run = await client.call<{ id?: string }>("POST", "/api/flow_runs/", { flow_id: flowId });
      if (run.body.id !== undefined) ids.push(run.body.id);
    }
    return ids;
  });
  const count = new Array<number>(SET_STATE_CALLERS).fill(0);
  const { rate, p50Ms, p99Ms } = await slice({ ...context, callers: SET_STATE_CALLERS }, async ({ index, call }) => {
    const type = (count[index] ?? 0) % 2 === 0 ? "PENDING" : "RUNNING";
    count[index] = (count[index] ?? 0) + 1;
    await call("POST", `/api/flow_runs/${runs[index]}/set_state`, { state: { type }, force: true });
  });
  board.add(SET_STATES, contender.name, rate);
  board.add(SET_STATE_P50, contender.name, p50Ms);
  board.add(SET_STATE_P99, contender.name, p99Ms);
};

async function create(caller: Caller, flowId: string): Promise<string> {
  // Without a state a run begins as Pending, and a proposal of PENDING would be refused, which costs less than a state.
  const run = await caller.call<{ id: string }>("POST", "/api/flow_runs/", {
    flow_id: flowId,
    parameters: { n: 1 },
    state: { type: "SCHEDULED" },
  });
  return run.id;
}

async function propose(caller: Caller, id: string, type: string): Promise<void> {
  const { status } = await caller.call<{ status: string }>("POST", `/api/flow_runs/${id}/set_state`, {
    state: { type },
  });
  if (status !== "ACCEPT") throw new Refused(`A proposal of ${type} was answered with ${status}.`);
}
