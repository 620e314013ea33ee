/** Runs that wait for longer than they may. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, it } from "vitest";
import { TTL_LABEL } from "#protocol/flow-control";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { WhyNotRunning } from "#protocol/why";
import { clock } from "../../durable-objects/clock.ts";
import { aDeployment, aPool, call } from "./support/api.ts";
import { aRun, aWorker, propose, stateOf } from "./support/deployed-runs.ts";
import { movableClock } from "./support/pools.ts";
import { ownerStub, until } from "./support/runs.ts";

const move = movableClock();
const SECOND_MS = 1_000;

async function aDeploymentFor(seconds: number | null, more: Record<string, unknown> = {}) {
  const pool = await aPool();
  const deployment = await aDeployment({ work_pool_name: pool.name, ...more });
  await call("PUT", `/deployments/${deployment.id}/flow_control`, { time_to_live_seconds: seconds });
  return { pool, deployment };
}

async function passes(id: FlowRunId, seconds: number): Promise<void> {
  move(seconds * SECOND_MS);
  await runDurableObjectAlarm(ownerStub(id));
}

const EXPIRED = {
  type: "CANCELLED",
  name: "Expired",
  message: "It was not started within 60 s of the time at which it was due, and that was its time to live.",
};

describe("a run whose time to live is over", () => {
  it("ends Cancelled by its owner's alarm, and is not taken by a worker that comes later", async ({ expect }) => {
    const { pool, deployment } = await aDeploymentFor(60);
    const id = await aRun(deployment);
    await passes(id, 59);
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED" });
    await passes(id, 2);
    expect(await stateOf(id)).toMatchObject(EXPIRED);
    const worker = await aWorker(pool.name);
    const next = await aRun(deployment);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([next]);
    worker.close();
  });

  it("is not claimed although the alarm has not come yet, by whoever asks", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60);
    const [polled, pushed] = [await aRun(deployment), await aRun(deployment)];
    move(61 * SECOND_MS);
    expect(await propose(polled, "PENDING")).toMatchObject({ status: "REJECT", state: EXPIRED });
    expect(await ownerStub(pushed).claim(pushed, { name: "w" })).toBeNull();
    expect(await stateOf(pushed)).toMatchObject(EXPIRED);
  });

  it("ends so at once after the control plane was away", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60);
    const id = await aRun(deployment);
    await evictDurableObject(ownerStub(id));
    await passes(id, 61);
    expect(await stateOf(id)).toMatchObject(EXPIRED);
  });

  it("leaves the line of a limit that it waited for, and counts from when it was due", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60, { concurrency_limit: 1 });
    const holder = await aRun(deployment);
    await propose(holder, "PENDING");
    await propose(holder, "RUNNING");
    const id = await aRun(deployment);
    expect(await propose(id, "PENDING")).toMatchObject({ state: { name: "AwaitingConcurrencySlot" } });
    await passes(id, 61);
    expect(await stateOf(id)).toMatchObject(EXPIRED);
    await propose(holder, "COMPLETED");
    const next = await aRun(deployment);
    expect(await propose(next, "PENDING")).toMatchObject({ status: "ACCEPT" });
  });

  it("may have been started: then it goes on, and so does its retry", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60);
    const id = await aRun(deployment);
    await propose(id, "PENDING");
    await passes(id, 61);
    expect(await stateOf(id)).toMatchObject({ type: "PENDING" });
    await propose(id, "RUNNING");
    await propose(id, "SCHEDULED", { name: "AwaitingRetry" });
    await passes(id, 61);
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED" });
  });
});

describe("a time to live", () => {
  it("of a run goes before its deployment's, and may be set later", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60);
    const path = `/deployments/${deployment.id}/create_flow_run`;
    const make = async (labels: object) => (await call<FlowRun>("POST", path, { labels })).body;
    const longer = await make({ [TTL_LABEL]: 600 });
    const plain = await make({});
    expect([longer.labels[TTL_LABEL], plain.labels[TTL_LABEL]]).toEqual([600, 60]);
    const free = await aDeployment();
    const set = (await call<FlowRun>("POST", `/deployments/${free.id}/create_flow_run`, {})).body;
    await call("PATCH", `/flow_runs/${set.id}/labels`, { [TTL_LABEL]: 60 });
    await passes(set.id, 61);
    // In no pool it was marked late first, which the same alarm did.
    await passes(set.id, 0);
    expect([await stateOf(longer.id), await stateOf(set.id)]).toMatchObject([{ type: "SCHEDULED" }, EXPIRED]);
    await passes(longer.id, 540);
    expect(await stateOf(longer.id)).toMatchObject({ name: "Expired" });
  });

  it("counts from the time for which the run is scheduled", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60);
    const scheduled_time = toWireTime((clock.now() + 300 * SECOND_MS) as EpochMs);
    const state = { type: "SCHEDULED", state_details: { scheduled_time } };
    const { id } = (await call<FlowRun>("POST", `/deployments/${deployment.id}/create_flow_run`, { state })).body;
    await passes(id, 350);
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED" });
    await passes(id, 15);
    expect(await stateOf(id)).toMatchObject(EXPIRED);
  });

  it("counts anew when the run is scheduled for another time, also through a wait for a slot", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60, { concurrency_limit: 1 });
    const holder = await aRun(deployment);
    await propose(holder, "PENDING");
    await propose(holder, "RUNNING");
    const [later, earlier] = [await aRun(deployment), await aRun(deployment)];
    const dueIn = (seconds: number) => {
      const scheduled_time = toWireTime((clock.now() + seconds * SECOND_MS) as EpochMs);
      return { state_details: { scheduled_time } };
    };
    await propose(later, "SCHEDULED", dueIn(120));
    await propose(earlier, "SCHEDULED", dueIn(10_000));
    await propose(earlier, "SCHEDULED", dueIn(0));
    await passes(earlier, 61);
    expect(await stateOf(earlier)).toMatchObject(EXPIRED);
    move(60 * SECOND_MS);
    expect(await propose(later, "PENDING")).toMatchObject({ state: { name: "AwaitingConcurrencySlot" } });
    await passes(later, 50);
    expect(await stateOf(later)).toMatchObject({ type: "SCHEDULED" });
    await passes(later, 11);
    expect(await stateOf(later)).toMatchObject(EXPIRED);
  });

  it("holds for runs of schedules, as their deployment has it by then", async ({ expect }) => {
    const schedules = [{ schedule: { interval: 3_600, anchor_date: "2026-01-01T00:00:00Z" } }];
    const { deployment } = await aDeploymentFor(null, { schedules });
    await call("PUT", `/deployments/${deployment.id}/flow_control`, { time_to_live_seconds: 60 });
    const filter = { flow_runs: { deployment_id: { any_: [deployment.id] } }, sort: "EXPECTED_START_TIME_ASC" };
    const [run] = (await call<FlowRun[]>("POST", "/flow_runs/filter", filter)).body;
    if (!run?.expected_start_time) throw new Error("The schedule has made no run.");
    await ownerStub(run.id).wake([run.id]);
    const untilDueMs = Date.parse(run.expected_start_time) - clock.now();
    await passes(run.id, untilDueMs / SECOND_MS + 61);
    await until("the run has ended", async () => (await stateOf(run.id)).name === "Expired");
    expect(await stateOf(run.id)).toMatchObject(EXPIRED);
  });

  it("is told by why, and none is refused", async ({ expect }) => {
    const { deployment } = await aDeploymentFor(60);
    const id = await aRun(deployment);
    const { reasons } = (await call<WhyNotRunning>("GET", `/flow_runs/${id}/why`)).body;
    expect(reasons.at(-1)).toMatchObject({ kind: "expires", details: { expires_at: expect.any(String) } });
    for (const wrong of [0, -1, "soon", 400 * 86_400]) {
      const path = `/deployments/${deployment.id}/flow_control`;
      expect((await call("PUT", path, { time_to_live_seconds: wrong })).status, String(wrong)).toBe(422);
    }
  });
});
