/** States that time ends, and what a cancelled run takes with it. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { StateType } from "#protocol/states";
import { TaskRunCreate } from "#protocol/task-runs";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { clock } from "../../durable-objects/clock.ts";
import { movableClock, Pool } from "./support/pools.ts";
import { DEPLOYMENT_ID, freshRunId, newRun, ownerStub, pooledRun, state, until } from "./support/runs.ts";

const move = movableClock();
const SECOND_MS = 1_000;

type Five = [FlowRunId, FlowRunId, FlowRunId, FlowRunId, FlowRunId];

/** Lets time pass and wakes the run's owner twice: one that has just started gives a deadline a further term. */
async function pass(id: ReturnType<typeof freshRunId>, spanMs: number): Promise<void> {
  move(spanMs);
  await runDurableObjectAlarm(ownerStub(id));
  move(31 * SECOND_MS);
  await runDurableObjectAlarm(ownerStub(id));
}

async function stateOf(id: ReturnType<typeof freshRunId>) {
  return (await ownerStub(id).read(id))?.state;
}

describe("a pause with a timeout", () => {
  const pausedUntil = (inSeconds: number) =>
    state("PAUSED", { details: { pause_timeout: toWireTime((clock.now() + inSeconds * SECOND_MS) as EpochMs) } });

  it("fails when nobody resumes it in time, also after the owner was away", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    await ownerStub(id).setState(id, { state: pausedUntil(60), force: false });
    await pass(id, 20 * SECOND_MS);
    expect(await stateOf(id)).toMatchObject({ type: "PAUSED" });
    await evictDurableObject(ownerStub(id));
    await pass(id, 60 * SECOND_MS);
    expect(await stateOf(id)).toMatchObject({ type: "FAILED", message: "The flow was paused and never resumed." });
  });

  it("fails by it although nobody may end it: suspended without a deployment", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    const timeout = toWireTime((clock.now() + 60 * SECOND_MS) as EpochMs);
    const suspended = state("PAUSED", { details: { pause_timeout: timeout, pause_reschedule: true } });
    await ownerStub(id).setState(id, { state: suspended, force: true });
    const refused = await ownerStub(id).setState(id, { state: state("COMPLETED"), force: false });
    expect(refused?.result.status).toBe("REJECT");
    await pass(id, 61 * SECOND_MS);
    expect(await stateOf(id)).toMatchObject({ type: "FAILED" });
  });

  it("fails at its time when its owner has listened since it began, however young that is", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    await evictDurableObject(ownerStub(id));
    await ownerStub(id).setState(id, { state: pausedUntil(3), force: false });
    move(4 * SECOND_MS);
    await runDurableObjectAlarm(ownerStub(id));
    expect(await stateOf(id)).toMatchObject({ type: "FAILED" });
  });

  it("is over when the run goes on", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    await ownerStub(id).setState(id, { state: pausedUntil(60), force: false });
    await ownerStub(id).setState(id, { state: state("RUNNING"), force: false });
    await pass(id, 120 * SECOND_MS);
    expect(await stateOf(id)).toMatchObject({ type: "RUNNING" });
  });
});

describe("a cancellation", () => {
  it("that nobody confirms is done after five minutes", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    await ownerStub(id).setState(id, { state: state("CANCELLING"), force: false });
    await pass(id, 200 * SECOND_MS);
    expect(await stateOf(id)).toMatchObject({ type: "CANCELLING" });
    await pass(id, 101 * SECOND_MS);
    expect(await stateOf(id)).toMatchObject({
      type: "CANCELLED",
      message: expect.stringContaining("Nobody confirmed"),
    });
  });
});

describe("a scheduled run", () => {
  it("of no pool is late fifteen seconds after its time", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("SCHEDULED") }, { deployment_id: DEPLOYMENT_ID }));
    move(14 * SECOND_MS);
    await runDurableObjectAlarm(ownerStub(id));
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED", name: "Scheduled" });
    const scheduled = (await stateOf(id))?.state_details.scheduled_time;
    move(2 * SECOND_MS);
    await runDurableObjectAlarm(ownerStub(id));
    expect(await stateOf(id)).toMatchObject({
      type: "SCHEDULED",
      name: "Late",
      state_details: { scheduled_time: scheduled },
    });
  });

  it("that waits in a pool is marked late once, and is still claimed", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const id = freshRunId();
    await ownerStub(id).create(pooledRun(id, pool.name));
    await pool.shows("the run waits", (status) => status.ready === 1);
    const object = env.WORK_POOLS.getByName(pool.name);
    for (const spanMs of [16 * SECOND_MS, 60 * SECOND_MS]) {
      move(spanMs);
      await runDurableObjectAlarm(object);
    }
    expect((await ownerStub(id).states(id))?.map(({ name }) => name)).toEqual(["Scheduled", "Late"]);
    const worker = await pool.connect("w1");
    await worker.waitFor("run");
    expect(await stateOf(id)).toMatchObject({ type: "PENDING" });
  });
});

async function aTask(of: FlowRunId, key: string, type: StateType = "RUNNING"): Promise<TaskRunId> {
  const request = TaskRunCreate.parse({ flow_run_id: of, task_key: key, dynamic_key: "0", state: { type } });
  const made = await ownerStub(of).createTask(of, request, crypto.randomUUID() as TaskRunId);
  return made?.task.id as TaskRunId;
}

async function mirrored(of: FlowRunId, task: TaskRunId): Promise<void> {
  await until("the child is mirrored", async () => {
    const found = await ownerStub(of).taskRun(of, task);
    return (found?.task.state?.state_details.child_flow_run_id ?? null) !== null;
  });
}

describe("a run that is asked to cancel itself", () => {
  it("has the children in other processes asked at once, also those of a child in its own", async ({ expect }) => {
    const [parent, local, deployed, below, ended] = [1, 2, 3, 4, 5].map(freshRunId) as Five;
    const withDeployment = { deployment_id: DEPLOYMENT_ID };
    const aChild = async (id: FlowRunId, of: FlowRunId, type: StateType, more = {}): Promise<TaskRunId> => {
      const task = await aTask(of, id);
      await ownerStub(id).create(newRun(id, { state: state(type) }, { parent_task_run_id: task, ...more }));
      await mirrored(of, task);
      return task;
    };
    await ownerStub(parent).create(newRun(parent, { state: state("RUNNING") }, withDeployment));
    const plain = await aTask(parent, "plain");
    const localTask = await aChild(local, parent, "RUNNING");
    await aChild(deployed, parent, "RUNNING", withDeployment);
    await aChild(ended, parent, "COMPLETED", withDeployment);
    await aChild(below, local, "RUNNING", withDeployment);
    await ownerStub(parent).setState(parent, { state: state("CANCELLING"), force: false });
    await until("the deployed child is told", async () => (await stateOf(deployed))?.type === "CANCELLING");
    await until("the one below the local child is told", async () => (await stateOf(below))?.type === "CANCELLING");
    const taskType = async (id: TaskRunId) => (await ownerStub(parent).taskRun(parent, id))?.task.state_type;
    expect((await stateOf(parent))?.type).toBe("CANCELLING");
    // These its own process ends.
    expect([(await stateOf(local))?.type, await taskType(localTask), await taskType(plain)]).toEqual(
      Array.from({ length: 3 }, () => "RUNNING"),
    );
    await ownerStub(parent).setState(parent, { state: state("CANCELLED"), force: false });
    await until("the plain task is cancelled", async () => (await taskType(plain)) === "CANCELLED");
    await until("the local child is cancelled", async () => (await stateOf(local))?.type === "CANCELLED");
    const told = async (id: FlowRunId) => (await ownerStub(id).states(id))?.map(({ type }) => type);
    expect(await told(deployed)).toEqual(["RUNNING", "CANCELLING"]);
    expect(await told(below)).toEqual(["RUNNING", "CANCELLING"]);
    expect(await told(ended)).toEqual(["COMPLETED"]);
  });
});

describe("a child that its parent's owner hears of when the parent was asked already", () => {
  it.for([
    ["is asked, too, when it was started before", -1, "CANCELLING"],
    ["is left alone when it was started in order to clean up", 1, "RUNNING"],
  ] as const)("%s", async ([_, startedAfterMs, type], { expect }) => {
    const [parent, child] = [freshRunId(), freshRunId()];
    const withDeployment = { deployment_id: DEPLOYMENT_ID };
    await ownerStub(parent).create(newRun(parent, { state: state("RUNNING") }, withDeployment));
    const task = await aTask(parent, "deployed");
    await ownerStub(child).create(newRun(child, { state: state("RUNNING") }, withDeployment));
    await ownerStub(parent).setState(parent, { state: state("CANCELLING"), force: false });
    const asked = await stateOf(parent);
    const first = await stateOf(child);
    if (!asked || !first) throw new Error("Both have states.");
    const timestamp = toWireTime((fromWireTime(asked.timestamp) + startedAfterMs) as EpochMs);
    await ownerStub(parent).mirrorState(parent, task, child, { ...first, timestamp });
    expect((await stateOf(child))?.type).toBe(type);
  });
});

describe("a cancelled run", () => {
  it("takes the task runs and child runs with it that have not ended", async ({ expect }) => {
    const [parent, local, deployed] = [freshRunId(), freshRunId(), freshRunId()];
    await ownerStub(parent).create(newRun(parent, { state: state("RUNNING") }));
    const plain = await aTask(parent, "plain");
    const localTask = await aTask(parent, "local");
    const deployedTask = await aTask(parent, "deployed");
    const done = await aTask(parent, "done", "COMPLETED");
    await ownerStub(local).create(newRun(local, { state: state("RUNNING") }, { parent_task_run_id: localTask }));
    const withDeployment = { parent_task_run_id: deployedTask, deployment_id: DEPLOYMENT_ID };
    await ownerStub(deployed).create(newRun(deployed, { state: state("RUNNING") }, withDeployment));
    const taskType = async (id: TaskRunId) => (await ownerStub(parent).taskRun(parent, id))?.task.state_type;
    await mirrored(parent, localTask);
    await mirrored(parent, deployedTask);
    await ownerStub(parent).setState(parent, { state: state("CANCELLED"), force: false });
    await until("the local child is cancelled", async () => (await stateOf(local))?.type === "CANCELLED");
    await until("the deployed child is told", async () => (await stateOf(deployed))?.type === "CANCELLING");
    await until("the plain task is cancelled", async () => (await taskType(plain)) === "CANCELLED");
    await until("the local child's task shows it", async () => (await taskType(localTask)) === "CANCELLED");
    expect(await taskType(done)).toBe("COMPLETED");
    expect((await stateOf(local))?.message).toBe("The parent flow run was cancelled.");
  });
});
