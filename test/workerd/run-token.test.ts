import { beforeEach, describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { callerOf, forgetCallers } from "../../durable-objects/caller.ts";
import { makeRunToken, readRunToken } from "../../durable-objects/run-token.ts";
import { ask, closedEnv, ROOT_KEY } from "./support/keys.ts";
import { movableClock } from "./support/pools.ts";
import { freshRunId, newRun, ownerStub, pooledRun, state } from "./support/runs.ts";

const MINUTE_MS = 60_000;

beforeEach(() => forgetCallers());
const pass = movableClock();

/** A run that a worker has claimed, and the token of the claim. */
async function claimed(): Promise<{ id: FlowRunId; token: string }> {
  const id = freshRunId();
  const owner = ownerStub(id);
  await owner.create(pooledRun(id, `pool-${id}`));
  const ticket = await owner.claim(id, { name: "w1" });
  const token = await makeRunToken(ROOT_KEY, { flowRunId: id, generation: ticket?.generation ?? -1 });
  return { id, token: token ?? "" };
}

function whoIs(token: string, now?: number) {
  return callerOf(closedEnv, token, now);
}

describe("the token of a run", () => {
  it("is the run's process, with the role worker", async ({ expect }) => {
    const { id, token } = await claimed();
    expect(await whoIs(token)).toEqual({ role: "worker", by: "run_token", key: null, run: id });
    expect(await whoIs(`somebody:${token}`)).toMatchObject({ run: id });
  });

  it("is not made by a server that asks for no keys", async ({ expect }) => {
    expect(await makeRunToken(undefined, { flowRunId: freshRunId(), generation: 1 })).toBeNull();
  });

  it("is nobody's when any part of it is changed", async ({ expect }) => {
    const { id, token } = await claimed();
    expect(await readRunToken(ROOT_KEY, token)).toEqual({ flowRunId: id, generation: 1 });
    for (const changed of [
      token.replace(id, freshRunId()),
      token.replace("_1_", "_2_"),
      token.replace(/.$/, (last) => (last === "A" ? "B" : "A")).replace(/_(.)([^_]*)$/, "_A$2"),
      token.slice(0, -1),
    ]) {
      expect(await readRunToken(ROOT_KEY, changed), changed).toBeNull();
      expect(await whoIs(changed), changed).toBe("unknown");
    }
    expect(await readRunToken("another root key", token)).toBeNull();
  });

  it("is refused when the run was claimed anew", async ({ expect }) => {
    const { id, token } = await claimed();
    const owner = ownerStub(id);
    await owner.giveBack(id, 1, "the test");
    expect(await owner.honoursToken(id, 1)).toBe(true);
    await owner.setState(id, { state: state("SCHEDULED"), force: true });
    await owner.claim(id, { name: "w2" });
    expect(await whoIs(token)).toBe("expired");
  });

  it("is refused a minute after the run's end, and for a run that there is not", async ({ expect }) => {
    const { id, token } = await claimed();
    const owner = ownerStub(id);
    await owner.setState(id, { state: state("RUNNING"), force: true });
    await owner.setState(id, { state: state("COMPLETED"), force: true });
    expect(await owner.honoursToken(id, 1)).toBe(true);
    expect(await whoIs(token)).toMatchObject({ run: id });
    forgetCallers();
    pass(2 * MINUTE_MS);
    expect(await whoIs(token)).toBe("expired");
    const stray = await makeRunToken(ROOT_KEY, { flowRunId: freshRunId(), generation: 1 });
    expect(await whoIs(stray ?? "")).toBe("expired");
  });

  it.for([
    ["GET", "/work_pools/p/channel"],
    ["POST", "/work_pools/p/poll"],
    ["POST", "/work_pools/p/workers/heartbeat"],
    ["POST", "/work_pools/p/get_scheduled_flow_runs"],
    ["POST", "/work_queues/01a1ff55-8552-75f7-97ce-5b19a1474f9e/get_runs"],
    ["POST", "/deployments/get_scheduled_flow_runs"],
    ["POST", "/flow_runs/ID/give_back"],
  ] as const)("does not do the work of workers: %s %s", async ([method, path], { expect }) => {
    const { id, token } = await claimed();
    const answer = await ask(method, path.replace("ID", id), {
      key: token,
      ...(method === "POST" ? { body: {} } : {}),
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "forbidden" });
  });

  it("speaks for its own run and for runs without a deployment, not for those of others", async ({ expect }) => {
    const { id, token } = await claimed();
    const child = freshRunId();
    await ownerStub(child).create(newRun(child));
    const other = await claimed();
    const hello = { type: "hello", protocol: 1, session: crypto.randomUUID(), generation: null };
    const frames = (run: string) => ask("POST", `/flow_runs/${run}/frames`, { key: token, body: { frames: [hello] } });
    expect((await frames(id)).status).toBe(200);
    expect((await frames(child)).status).toBe(200);
    expect((await frames(other.id)).status).toBe(403);
    expect((await ask("POST", "/keys/filter", { key: token, body: {} })).status).toBe(403);
  });

  it("cancels the run of another deployment, but does not take it, run it or end it", async ({ expect }) => {
    const { id, token } = await claimed();
    const other = await claimed();
    const propose = async (run: string, type: string) => {
      return (await ask("POST", `/flow_runs/${run}/set_state`, { key: token, body: { state: { type } } })).status;
    };
    for (const type of ["PENDING", "RUNNING", "COMPLETED", "FAILED", "CRASHED"] as const) {
      expect(await propose(other.id, type), type).toBe(403);
    }
    expect(await propose(other.id, "CANCELLING")).toBe(201);
    expect(await propose(id, "RUNNING")).toBe(201);
  });
});
