/** What the list of runs asks the API for, by what its address says. */
import { describe, it } from "vitest";
import { filtersOf } from "../../ui/pages/flow-runs/filters-of.ts";
import { RunsSearch } from "../../ui/pages/flow-runs/runs-search.ts";

const AT = "2026-11-21T06:00:00.000000Z";
const LATER = "2026-11-22T06:00:00.000000Z";

describe("an address of the list of runs", () => {
  it.for([
    [{ state: ["FAILED", "CRASHED"] }, { state: { operator: "or_", type: { any_: ["FAILED", "CRASHED"] } } }],
    [{ state: ["LATE"] }, { state: { operator: "or_", name: { any_: ["Late"] } } }],
    [
      { state: ["FAILED", "LATE"], stateNames: ["TimedOut"] },
      { state: { operator: "or_", type: { any_: ["FAILED"] }, name: { any_: ["Late", "TimedOut"] } } },
    ],
    [{ tags: ["a", "b"] }, { tags: { all_: ["a", "b"] } }],
    [{ anyTag: ["a", "b"] }, { tags: { any_: ["a", "b"] } }],
    [{ untagged: true }, { tags: { is_null_: true } }],
    [{ since: AT, until: LATER }, { expected_start_time: { after_: AT, before_: LATER } }],
    [{ startedAfter: AT }, { start_time: { after_: AT, before_: null, is_null_: false } }],
    [{ startedBefore: AT }, { start_time: { after_: null, before_: AT, is_null_: false } }],
    [{ endedAfter: AT, endedBefore: LATER }, { end_time: { after_: AT, before_: LATER } }],
    [{ undeployed: true }, { deployment_id: { is_null_: true } }],
    [{ idempotencyKey: "order-7" }, { idempotency_key: { any_: ["order-7"] } }],
    [{ madeBy: "SCHEDULE" }, { created_by: { type_: ["SCHEDULE"] } }],
    [{ madeBy: "CALL" }, { created_by: { is_null_: true } }],
    [{ level: "top" }, { parent_task_run_id: { is_null_: true } }],
    [{ level: "sub" }, { parent_task_run_id: { is_null_: false } }],
    [
      { queue: "fast", version: "3" },
      { work_queue_name: { any_: ["fast"] }, flow_version: { any_: ["3"] } },
    ],
  ] as const)("that says %j asks for runs that are %j", ([said, asked], { expect }) => {
    const { flow_runs, ...others } = filtersOf(RunsSearch.parse({ future: true, ...said }));
    expect(flow_runs).toEqual(asked);
    expect(others).toEqual({});
  });

  it.for([
    [{ flow: "orders" }, { flows: { name: { like_: "orders" } } }],
    [{ deployment: "nightly" }, { deployments: { flow_or_deployment_name: { like_: "nightly" } } }],
    [{ pool: "local" }, { work_pools: { name: { any_: ["local"] } } }],
  ] as const)("that says %j asks for runs of %j", ([said, asked], { expect }) => {
    expect(filtersOf(RunsSearch.parse({ future: true, ...said }))).toEqual({ flow_runs: {}, ...asked });
  });

  it.for([
    [{}, true],
    [{ state: ["RUNNING"] }, true],
    [{ future: true }, false],
    [{ state: ["SCHEDULED"] }, false],
    [{ stateNames: ["AwaitingRetry"] }, false],
  ] as const)("that says %j leaves out runs that are due later: %s", ([said, leavesOut], { expect }) => {
    const { flow_runs } = filtersOf(RunsSearch.parse(said));
    expect(flow_runs?.expected_start_time?.before_ != null).toBe(leavesOut);
  });

  it("that says what there is not asks for nothing", ({ expect }) => {
    const said = { madeBy: "a ghost", level: "middle", startedAfter: "yesterday", stateNames: "TimedOut" };
    expect(filtersOf(RunsSearch.parse({ future: true, ...said }))).toEqual({ flow_runs: {} });
  });
});
