/** States that time ends, and what a cancelled run takes with it. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { TaskRunId } from "#protocol/ids";
import { TaskRunCreate } from "#protocol/task-runs";
import { type EpochMs, toWireTime } from "#protocol/time";
import { clock } from "../../durable-objects/clock.ts";
import { movableClock, Pool } from "./support/pools.ts";
import { DEPLOYMENT_ID, freshRunId, newRun, ownerStub, pooledRun, state, until } from "./support/runs.ts";

const move = movableClock();
const SECOND_MS = 1_000;

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

describe("a cancelled run", () => {
  it("takes the task runs and child runs with it that have not ended", async ({ expect }) => {
    const [parent, local, deployed] = [freshRunId(), freshRunId(), freshRunId()];
    await ownerStub(parent).create(newRun(parent, { state: state("RUNNING") }));
    const tasks = await Promise.all(
      ["plain", "local", "deployed", "done"].map(async (key) => {
        const request = TaskRunCreate.parse({
          flow_run_id: parent,
          task_key: key,
          dynamic_key: "0",
          state: { type: key === "done" ? "COMPLETED" : "RUNNING" },
        });
        const made = await ownerStub(parent).createTask(parent, request, crypto.randomUUID() as TaskRunId);
        return made?.task.id as TaskRunId;
      }),
    );
    const [plain, localTask, deployedTask, done] = tasks as [TaskRunId, TaskRunId, TaskRunId, TaskRunId];
    await ownerStub(local).create(newRun(local, { state: state("RUNNING") }, { parent_task_run_id: localTask }));
    const withDeployment = { parent_task_run_id: deployedTask, deployment_id: DEPLOYMENT_ID };
    await ownerStub(deployed).create(newRun(deployed, { state: state("RUNNING") }, withDeployment));
    const taskType = async (id: TaskRunId) => (await ownerStub(parent).taskRun(parent, id))?.task.state_type;
    await until("both children are mirrored", async () => {
      const states = await Promise.all([localTask, deployedTask].map((id) => ownerStub(parent).taskRun(parent, id)));
      return states.every((found) => found?.task.state?.state_details.child_flow_run_id);
    });
    await ownerStub(parent).setState(parent, { state: state("CANCELLED"), force: false });
    await until("the local child is cancelled", async () => (await stateOf(local))?.type === "CANCELLED");
    await until("the deployed child is told", async () => (await stateOf(deployed))?.type === "CANCELLING");
    await until("the plain task is cancelled", async () => (await taskType(plain)) === "CANCELLED");
    await until("the local child's task shows it", async () => (await taskType(localTask)) === "CANCELLED");
    expect(await taskType(done)).toBe("COMPLETED");
    expect((await stateOf(local))?.message).toBe("The parent flow run was cancelled.");
  });
});
