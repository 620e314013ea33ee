/** Runs limited by a key of theirs, debounced and throttled. */
import { describe, it } from "vitest";
import { KEY_LABEL } from "#protocol/flow-control";
import type { FlowRunId } from "#protocol/ids";
import type { WhyNotRunning } from "#protocol/why";
import { aDeployment, aPool, call } from "../support/api.ts";
import { aRun, aWorker, propose, stateOf } from "../support/deployed-runs.ts";
import { ownerStub, until } from "../support/runs.ts";

interface Occupancy {
  readonly holders: readonly { readonly flow_run_id: string; readonly key: string }[];
  readonly waiters: readonly { readonly flow_run_id: string; readonly key: string; readonly position: number }[];
}

async function aControlled(control: object, more: object = {}) {
  const pool = await aPool();
  const deployment = await aDeployment({ work_pool_name: pool.name, enforce_parameter_schema: false, ...more });
  const path = `/deployments/${deployment.id}/flow_control`;
  const { status, body } = await call("PUT", path, control);
  if (status !== 200) throw new Error(JSON.stringify(body));
  const runs = async () => (await call<Occupancy>("GET", `${path}/runs`)).body;
  return { pool, deployment, path, runs };
}

const perCustomer = (strategy: string, limit = 1) => ({
  concurrency: { key: "parameters.customer.id", limit, strategy },
});
const of = (id: string) => ({ customer: { id } });

async function end(id: string): Promise<void> {
  await propose(id, "RUNNING");
  await propose(id, "COMPLETED");
}

describe("flow control of a deployment", () => {
  it("is kept as it was said, and gone with null", async ({ expect }) => {
    const { path, deployment } = await aControlled(perCustomer("queue", 2));
    const none = { time_to_live_seconds: null, concurrency: null, on_lost: null, debounce: null, throttle: null };
    expect((await call("GET", path)).body).toEqual({ ...none, ...perCustomer("queue", 2) });
    expect((await call("PUT", path, {})).body).toEqual(none);
    expect((await call("GET", path)).body).toEqual(none);
    await call("DELETE", `/deployments/${deployment.id}`);
    expect((await call("GET", path)).status).toBe(404);
  });

  it("refuses keys and limits that mean nothing", async ({ expect }) => {
    const { path } = await aControlled({});
    const wrong = [{ key: "customer" }, { key: "parameters." }, { limit: 0 }, { strategy: "drop" }];
    for (const concurrency of wrong) expect((await call("PUT", path, { concurrency })).status).toBe(422);
    expect((await call("PUT", path, { debounce: { seconds: 0 } })).status).toBe(422);
  });
});

describe("runs with a key", () => {
  it("keep it as a label, whoever makes them, and wait only for their like", async ({ expect }) => {
    const { pool, deployment, runs } = await aControlled(perCustomer("queue"));
    const worker = await aWorker(pool.name);
    const [first, second] = [await aRun(deployment, of("ada")), await aRun(deployment, of("ada"))];
    const other = await aRun(deployment, of("ben"));
    const direct = { flow_id: deployment.flow_id, deployment_id: deployment.id, parameters: of("ben") };
    const unasked = (
      await call<{ id: FlowRunId }>("POST", "/flow_runs/", {
        ...direct,
        state: { type: "SCHEDULED" },
        work_pool_name: pool.name,
      })
    ).body.id;
    await worker.waitFor("run", 2);
    expect([...worker.runs].sort()).toEqual([first, other].sort());
    await until("two wait", async () => (await runs()).waiters.length === 2);
    expect(await runs()).toMatchObject({
      holders: [{ key: "ada" }, { key: "ben" }],
      waiters: [
        { flow_run_id: second, key: "ada", position: 1 },
        { flow_run_id: unasked, key: "ben", position: 1 },
      ],
    });
    const labels = async (id: string) => (await call<{ labels: object }>("GET", `/flow_runs/${id}`)).body.labels;
    expect(await labels(first)).toMatchObject({ [KEY_LABEL]: "ada" });
    expect(await labels(unasked)).toMatchObject({ [KEY_LABEL]: "ben" });
    await end(first);
    await worker.waitFor("run", 3);
    expect(worker.runs[2]).toBe(second);
    await end(other);
    await worker.waitFor("run", 4);
    for (const id of [second, unasked]) await end(id);
    await until("all slots are free", async () => (await runs()).holders.length === 0);
    worker.close();
  });

  it("are skipped while another one of their key is in progress", async ({ expect }) => {
    const { deployment } = await aControlled({ concurrency: { limit: 1, strategy: "skip" } });
    const [first, second] = [await aRun(deployment), await aRun(deployment)];
    expect((await propose(first, "PENDING")).status).toBe("ACCEPT");
    expect(await propose(second, "PENDING")).toMatchObject({ status: "REJECT", state: { type: "CANCELLED" } });
    await end(first);
    const third = await aRun(deployment);
    await until("the slot is free", async () => (await propose(third, "PENDING")).status === "ACCEPT");
  });

  it("replace the one in progress, and everybody who waited before them", async ({ expect }) => {
    const { pool, deployment, runs } = await aControlled(perCustomer("cancel-running"));
    const worker = await aWorker(pool.name);
    const first = await aRun(deployment, of("ada"));
    await worker.waitFor("run", 1);
    await propose(first, "RUNNING");
    const second = await aRun(deployment, of("ada"));
    await until("the first is asked to stop", async () => (await stateOf(first)).type === "CANCELLING");
    const third = await aRun(deployment, of("ada"));
    await until("the second is cancelled", async () => (await stateOf(second)).type === "CANCELLED");
    expect((await stateOf(second)).message).toBe("A newer run took its place.");
    expect(worker.runs).toEqual([first]);
    await propose(first, "CANCELLED");
    await worker.waitFor("run", 2);
    expect(worker.runs).toEqual([first, third]);
    expect(await runs()).toMatchObject({ holders: [{ flow_run_id: third }], waiters: [] });
    worker.close();
  });

  it("take turns, so that one tenant does not starve the others", async ({ expect }) => {
    const { pool, deployment, runs } = await aControlled(perCustomer("round-robin", 1));
    const worker = await aWorker(pool.name);
    const tenants = ["ada", "ada", "ada", "ada", "ben", "cy"];
    const keyOfRun = new Map<string, string>();
    for (const tenant of tenants) keyOfRun.set(await aRun(deployment, of(tenant)), tenant);
    await worker.waitFor("run", 1);
    await until("five wait", async () => (await runs()).waiters.length === 5);
    for (let ended = 0; ended < 5; ended++) {
      await end(worker.runs[ended] ?? "");
      await worker.waitFor("run", ended + 2);
    }
    expect(worker.runs.map((id) => keyOfRun.get(id))).toEqual(["ada", "ben", "cy", "ada", "ada", "ada"]);
    worker.close();
  });

  it("hold slots of a limit of their deployment as well, and none of either when they have ended", async ({
    expect,
  }) => {
    const { pool, deployment, runs } = await aControlled(perCustomer("queue", 2), { concurrency_limit: 3 });
    const worker = await aWorker(pool.name);
    for (let index = 0; index < 8; index++) await aRun(deployment, of(index % 2 ? "ada" : "ben"));
    for (let ended = 0; ended < 8; ended++) {
      await worker.waitFor("run", Math.min(8, 3 + ended));
      expect((await runs()).holders.length).toBeLessThanOrEqual(4);
      await end(worker.runs[ended] ?? "");
    }
    await until("all slots are free", async () => (await runs()).holders.length === 0);
    await until("the deployment's slots are free", async () => {
      const path = `/v2/concurrency_limits/deployment:${deployment.id}`;
      return (await call<{ active_slots: number }>("GET", path)).body.active_slots === 0;
    });
    worker.close();
  });

  it("are called when the limit is raised or taken away", async ({ expect }) => {
    const { pool, deployment, path } = await aControlled(perCustomer("queue"));
    const worker = await aWorker(pool.name);
    for (let index = 0; index < 4; index++) await aRun(deployment, of("ada"));
    await worker.waitFor("run", 1);
    await call("PUT", path, perCustomer("queue", 2));
    await worker.waitFor("run", 2);
    await call("PUT", path, {});
    await worker.waitFor("run", 4);
    expect(worker.runs).toHaveLength(4);
    worker.close();
  });
});

describe("triggers that come fast", () => {
  const dueIn = async (id: string) =>
    (Date.parse((await stateOf(id)).state_details.scheduled_time) - Date.now()) / 1_000;

  it("are debounced: the last of a key runs", async ({ expect }) => {
    const { deployment } = await aControlled({ debounce: { key: "parameters.customer.id", seconds: 60 } });
    const first = await aRun(deployment, of("ada"));
    const other = await aRun(deployment, of("ben"));
    const second = await aRun(deployment, of("ada"));
    await until("the first gives way", async () => (await stateOf(first)).type === "CANCELLED");
    for (const id of [other, second]) {
      expect((await stateOf(id)).type).toBe("SCHEDULED");
      expect(await dueIn(id)).toBeGreaterThan(55);
    }
  });

  it("are throttled: after a burst the next are put off evenly", async ({ expect }) => {
    const { deployment } = await aControlled({ throttle: { limit: 2, seconds: 100 } });
    const times = [];
    for (let index = 0; index < 5; index++) times.push(await dueIn(await aRun(deployment)));
    expect(times.map((time) => Math.round(time / 10) * 10 + 0)).toEqual([0, 0, 50, 100, 150]);
    const { reasons } = (await call<WhyNotRunning>("GET", `/flow_runs/${await aRun(deployment)}/why`)).body;
    expect(reasons[0]?.message).toContain("Its deployment puts it off since too many of its key began.");
  });

  const HOURLY = { schedules: [{ schedule: { cron: "0 * * * *" }, parameters: of("ada") }] };
  const begins = async (id: string) => Date.parse((await stateOf(id)).state_details.scheduled_time);

  async function scheduled(control: object): Promise<[FlowRunId, FlowRunId, FlowRunId]> {
    const { deployment } = await aControlled(control, HOURLY);
    const body = { deployments: { id: { any_: [deployment.id] } }, sort: "EXPECTED_START_TIME_ASC" };
    const [first, second, third] = (await call<{ id: FlowRunId }[]>("POST", "/flow_runs/filter", body)).body;
    if (!first || !second || !third) throw new Error("The schedule has made too few runs.");
    return [first.id, second.id, third.id];
  }

  it("of a schedule are throttled when they would be claimed, and count once", async ({ expect }) => {
    const [first, second] = await scheduled({ throttle: { key: "parameters.customer.id", limit: 1, seconds: 600 } });
    expect((await propose(first, "PENDING")).status).toBe("ACCEPT");
    // Two workers that poll ask for it at the same time.
    const verdicts = await Promise.all([propose(second, "PENDING"), propose(second, "PENDING")]);
    for (const { status, state } of verdicts) {
      expect([status, state.type, state.message]).toEqual([
        "REJECT",
        "SCHEDULED",
        "Its deployment puts it off since too many of its key began.",
      ]);
    }
    const at = await begins(second);
    expect((at - Date.now()) / 1_000).toBeGreaterThan(590);
    expect((at - Date.now()) / 1_000).toBeLessThan(601);
    expect((await propose(second, "PENDING")).status).toBe("ACCEPT");
  });

  it("of a schedule are debounced: another one that would be claimed takes their place", async ({ expect }) => {
    const [first, second, third] = await scheduled({ debounce: { key: "parameters.customer.id", seconds: 60 } });
    expect(await propose(first, "PENDING")).toMatchObject({ status: "REJECT", state: { type: "SCHEDULED" } });
    expect(await propose(second, "PENDING")).toMatchObject({ status: "REJECT", state: { type: "SCHEDULED" } });
    await until("the first gives way", async () => (await stateOf(first)).type === "CANCELLED");
    expect((await stateOf(second)).type).toBe("SCHEDULED");
    expect((await propose(second, "PENDING")).status).toBe("ACCEPT");
    expect((await stateOf(third)).name).toBe("Scheduled");
  });

  it("of a schedule are put off by no worker that is connected either", async ({ expect }) => {
    const [first, second] = await scheduled({ throttle: { limit: 1, seconds: 600 } });
    expect(await ownerStub(first).claim(first, { name: "w" })).not.toBeNull();
    expect(await ownerStub(second).claim(second, { name: "w" })).toBeNull();
    expect((await stateOf(second)).message).toContain("puts it off");
  });
});
