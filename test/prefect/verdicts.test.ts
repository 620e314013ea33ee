/** Asks Prefect's server and ours for the verdict on every pair of states, of runs of every kind. */
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Json } from "./differential/json.ts";
import { Pair } from "./differential/pair.ts";
import { type ComparedServer, startPrefect, startSluice } from "./servers.ts";
import { ACCEPTED_VERDICTS } from "./verdicts/accepted-verdicts.ts";
import { SCENARIOS, type Scenario, STATES, verdictOf } from "./verdicts/scenarios.ts";

let prefect: ComparedServer;
let sluice: ComparedServer;
let pair: Pair;
let compared = 0;
let runs = 0;
const used = new Set<string>();

beforeAll(async () => {
  prefect = await startPrefect({ services: false });
  sluice = await startSluice();
  pair = new Pair(prefect.apiUrl, sluice.apiUrl);
  await pair.create("flow", { operation: "POST /flows/", body: { name: "flow" } });
  await pair.create("pool", { operation: "POST /work_pools/", body: { name: "pool", type: "process" } });
  await pair.create("deployment", { operation: "POST /deployments/", body: { name: "one", flow_id: "{{flow}}" } });
  await pair.create("pooled", {
    operation: "POST /deployments/",
    body: { name: "pooled", flow_id: "{{flow}}", work_pool_name: "pool" },
  });
  await pair.create("flow-run", {
    operation: "POST /flow_runs/",
    body: { flow_id: "{{flow}}", name: "of-tasks", state: { type: "RUNNING" } },
  });
});

afterAll(async () => {
  console.log(`\n${compared} verdicts compared\n`);
  await Promise.all([prefect?.[Symbol.asyncDispose](), sluice?.[Symbol.asyncDispose]()]);
});

/** Makes a run, moves it by force, proposes, and answers what differs. */
async function differenceIn(scenario: Scenario, from: string | null, to: string): Promise<string[]> {
  runs += 1;
  const name = `run:${runs}`;
  const own = scenario.kind === "flow" ? "/flow_runs/" : "/task_runs/";
  const key = scenario.kind === "flow" ? {} : { dynamic_key: String(runs) };
  if (JSON.stringify(scenario.run).includes("{{parent}}")) {
    const parent = { flow_run_id: "{{flow-run}}", task_key: "parent", dynamic_key: String(runs), name: "parent" };
    await pair.create("parent", { operation: "POST /task_runs/", body: parent });
  }
  // A run with a state is created with it where nothing was before; rules are asked from there on.
  const state = from === null ? {} : { state: STATES["PENDING"] ?? null };
  await pair.create(name, { operation: `POST ${scenario.at ?? own}`, body: { ...scenario.run, ...key, ...state } });
  const set = { operation: `POST ${own}{id}/set_state`, path: `${own}{{${name}}}/set_state` };
  const propose = (title: string, force: boolean): { operation: string; path: string; body: Json } => ({
    ...set,
    body: { state: STATES[title] ?? null, force },
  });
  if (from !== null && from !== "PENDING") await pair.answers(propose(from, true));
  const [theirs, ours] = await pair.answers(propose(to, scenario.force));
  compared += 1;
  const said = [verdictOf(theirs.status, theirs.body), verdictOf(ours.status, ours.body)];
  if (said[0] === said[1]) return [];
  return [`${scenario.title}: ${from ?? "no state"} → ${to}: theirs ${said[0]}, ours ${said[1]}`];
}

describe("the verdict on every change of state is that of Prefect's server", () => {
  for (const scenario of SCENARIOS) {
    it(`for ${scenario.title}`, async ({ expect }) => {
      const lines: string[] = [];
      for (const from of [null, ...Object.keys(STATES)]) {
        for (const to of Object.keys(STATES)) lines.push(...(await differenceIn(scenario, from, to)));
      }
      const unaccepted = lines.filter((line) => {
        const accepted = ACCEPTED_VERDICTS.find((one) => one.line.test(line));
        if (accepted !== undefined) used.add(accepted.reason);
        return accepted === undefined;
      });
      expect(unaccepted).toEqual([]);
    });
  }

  it("but for those that are accepted: take the other lines out of the list", ({ expect }) => {
    expect(ACCEPTED_VERDICTS.filter(({ reason }) => !used.has(reason)).map(({ reason }) => reason)).toEqual([]);
  });
});
