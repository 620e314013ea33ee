/** Runs whose process is lost, of deployments that have them offered again. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { RunClientFrame } from "#protocol/run-channel";
import type { OrchestrationResult } from "#protocol/states";
import { aDeployment, aPool, call } from "./support/api.ts";
import { aRun } from "./support/deployed-runs.ts";
import { movableClock } from "./support/pools.ts";
import { ownerStub, until } from "./support/runs.ts";

const move = movableClock();

async function aLosableRun(on_lost: "crash" | "retry" | null): Promise<FlowRunId> {
  const pool = await aPool();
  const deployment = await aDeployment({ work_pool_name: pool.name });
  const answer = await call("PUT", `/deployments/${deployment.id}/flow_control`, { on_lost });
  if (answer.status !== 200) throw new Error(`Not set: ${answer.status}`);
  return aRun(deployment);
}

/** A worker claims the run, and its process tells that it runs. */
async function begin(id: FlowRunId): Promise<void> {
  const { generation } = await until("the claim", () => {
    move(5_000);
    return ownerStub(id).claim(id, { name: "worker" });
  });
  await ownerStub(id).frames(id, [
    RunClientFrame.parse({ type: "hello", protocol: 1, session: crypto.randomUUID(), generation }),
    RunClientFrame.parse({ type: "propose", id: 1, state: { type: "RUNNING" } }),
  ]);
}

const crash = async (id: FlowRunId) =>
  (
    await call<OrchestrationResult>("POST", `/flow_runs/${id}/set_state`, {
      state: { type: "CRASHED", message: "The process was killed." },
      force: true,
    })
  ).body;

describe("a run whose process is lost", () => {
  it("is offered again where its deployment says so, and ends Crashed the third time", async ({ expect }) => {
    const id = await aLosableRun("retry");
    await begin(id);
    expect(await crash(id)).toMatchObject({
      status: "REJECT",
      state: { type: "SCHEDULED", message: "The process was killed. The run is offered again." },
    });
    await begin(id);
    // The second time nobody tells of it.
    await until("it is offered again", async () => {
      move(60_000);
      await runDurableObjectAlarm(ownerStub(id));
      const run = await ownerStub(id).read(id);
      return run?.state_type === "SCHEDULED" && run.state?.message?.includes("has not been heard of");
    });
    await begin(id);
    const { state } = await crash(id);
    expect(state?.type).toBe("CRASHED");
    expect(state?.message).toMatch(
      /^The run was given back 3 times\. 1: The process was killed\. 2: The process .* for \d+ s\. 3: The process was killed\.$/,
    );
  });

  it.for([null, "crash"] as const)("ends Crashed where its deployment says %s", async (onLost, { expect }) => {
    const id = await aLosableRun(onLost);
    await begin(id);
    expect(await crash(id)).toMatchObject({ status: "ACCEPT", state: { type: "CRASHED" } });
  });

  it("ends Crashed when it had not begun", async ({ expect }) => {
    const id = await aLosableRun("retry");
    await until("the claim", () => ownerStub(id).claim(id, { name: "worker" }));
    expect(await crash(id)).toMatchObject({ status: "ACCEPT", state: { type: "CRASHED" } });
  });

  it("is cancelled when that was asked for before", async ({ expect }) => {
    const id = await aLosableRun("retry");
    await begin(id);
    await call("POST", `/flow_runs/${id}/set_state`, { state: { type: "CANCELLING" } });
    await until("it is lost", async () => {
      move(60_000);
      await runDurableObjectAlarm(ownerStub(id));
      return (await ownerStub(id).read(id))?.state_type === "CANCELLED";
    });
    expect((await ownerStub(id).read(id))?.state_type).toBe("CANCELLED");
  });
});
