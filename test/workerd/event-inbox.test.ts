import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { taskPartitionOf } from "../../durable-objects/task-run-owner.ts";
import { aFlow, call, freshName } from "./support/api.ts";
import { connect, connectAsPrefect } from "./support/prefect-socket.ts";
import { ownerStub, until } from "./support/runs.ts";
import { delay } from "./support/task-workers.ts";

interface Task {
  readonly id: string;
  readonly state_type: string;
  readonly name: string;
  readonly run_count: number;
}

async function aRun(): Promise<FlowRunId> {
  const flow = await aFlow();
  return (await call<{ id: FlowRunId }>("POST", "/flow_runs/", { flow_id: flow.id, state: { type: "RUNNING" } })).body
    .id;
}

function stateEvent(
  run: string | null,
  task: string,
  type: string,
  secondsIn: number,
  more: Record<string, unknown> = {},
) {
  const name = type.charAt(0) + type.slice(1).toLowerCase();
  return {
    id: crypto.randomUUID(),
    occurred: new Date(Date.UTC(2026, 10, 1, 0, 0, secondsIn)).toISOString(),
    event: `prefect.task-run.${name}`,
    resource: {
      "prefect.resource.id": `prefect.task-run.${task}`,
      "prefect.orchestration": "client",
      "prefect.state-type": type,
    },
    related:
      run === null ? [] : [{ "prefect.resource.id": `prefect.flow-run.${run}`, "prefect.resource.role": "flow-run" }],
    payload: {
      validated_state: { type, name, message: null, data: null, state_details: { pause_key: null } },
      task_run: {
        name: "extract-0",
        task_key: "extract-1234",
        dynamic_key: "0",
        run_count: 1,
        tags: [],
        task_inputs: {},
        labels: {},
        empirical_policy: { retries: 0, retry_delay: 0 },
        ...more,
      },
    },
    follows: null,
  };
}

const IN = "/events/in";

async function tasksOf(run: string): Promise<Task[]> {
  return (await call<Task[]>("POST", "/task_runs/filter", { task_runs: { flow_run_id: { any_: [run] } } })).body;
}

describe("the socket for events", () => {
  it("echoes the subprotocol and answers auth_success although nobody has to authenticate", async ({ expect }) => {
    const peer = await connectAsPrefect(IN);
    expect(peer.protocol).toBe("prefect");
  });

  it("closes with 1008 and a reason when the first frame is not auth", async ({ expect }) => {
    const peer = await connect(IN);
    peer.send({ type: "event" });
    await until("close", async () => peer.closed.code !== undefined);
    expect(peer.closed).toEqual({ code: 1008, reason: "Expected 'auth' message" });
  });

  it("lets old clients in that ask for no subprotocol", async ({ expect }) => {
    const run = await aRun();
    const peer = await connect(IN, {});
    peer.send(stateEvent(run, crypto.randomUUID(), "RUNNING", 1));
    await until("the task run", async () => (await tasksOf(run)).length === 1);
    expect(peer.protocol).toBeNull();
  });

  it("survives what is not an event, and takes the next one", async ({ expect }) => {
    const run = await aRun();
    const peer = await connectAsPrefect(IN);
    peer.socket.send("{");
    peer.send({ event: 7 });
    peer.send(stateEvent(run, crypto.randomUUID(), "RUNNING", 1));
    await until("the task run", async () => (await tasksOf(run)).length === 1);
    expect(peer.closed.code).toBeUndefined();
  });
});

describe("task runs that are told of by events", () => {
  it("are readable by flow run and by their own id", async ({ expect }) => {
    const run = await aRun();
    const task = crypto.randomUUID();
    const peer = await connectAsPrefect(IN);
    for (const [index, type] of ["PENDING", "RUNNING", "COMPLETED"].entries())
      peer.send(stateEvent(run, task, type, index));
    const found = await until("Completed", async () =>
      (await tasksOf(run)).find(({ state_type }) => state_type === "COMPLETED"),
    );
    expect(found).toMatchObject({
      id: task,
      name: "extract-0",
      run_count: 1,
      start_time: "2026-11-01T00:00:01.000000Z",
      total_run_time: 1,
    });
    const own = await until("its own id", async () => (await call<Task>("GET", `/task_runs/${task}`)).body.id && true);
    expect(own).toBe(true);
    const states = await call<{ type: string }[]>("GET", `/task_run_states/?task_run_id=${task}`);
    expect(states.body.map(({ type }) => type)).toEqual(["PENDING", "RUNNING", "COMPLETED"]);
  });

  it("are the same whatever the order of the events, and however often each comes", async ({ expect }) => {
    const run = await aRun();
    const task = crypto.randomUUID();
    const peer = await connectAsPrefect(IN);
    const events = ["PENDING", "RUNNING", "COMPLETED"].map((type, index) =>
      stateEvent(run, task, type, index, { name: `after ${type}` }),
    );
    for (const event of [events[2], events[0], events[1], events[1], events[2]]) peer.send(event);
    await until(
      "three states",
      async () => (await call<unknown[]>("GET", `/task_run_states/?task_run_id=${task}`)).body.length === 3,
    );
    expect(await tasksOf(run)).toMatchObject([{ state_type: "COMPLETED", name: "after COMPLETED" }]);
  });

  it("keep their first id when the flow is executed again and its tasks have other ids", async ({ expect }) => {
    const run = await aRun();
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    const peer = await connectAsPrefect(IN);
    peer.send(stateEvent(run, first, "FAILED", 1));
    peer.send(stateEvent(run, second, "COMPLETED", 2));
    await until("Completed", async () => (await tasksOf(run))[0]?.state_type === "COMPLETED");
    expect((await tasksOf(run)).map(({ id }) => id)).toEqual([first]);
  });

  it("are handed on after the inbox lost its memory, and nothing is left in it", async ({ expect }) => {
    const run = await aRun();
    const peer = await connectAsPrefect(IN);
    peer.send(stateEvent(run, crypto.randomUUID(), "RUNNING", 1));
    await until("the task run", async () => (await tasksOf(run)).length === 1);
    await evictDurableObject(env.EVENT_INBOXES.getByName("inbox-0"), { webSockets: "hibernate" });
    peer.send(stateEvent(run, crypto.randomUUID(), "RUNNING", 1, { dynamic_key: "1" }));
    await until("the second task run", async () => (await tasksOf(run)).length === 2);
    await evictDurableObject(ownerStub(run));
    expect(await tasksOf(run)).toHaveLength(2);
  });
});

describe("task runs that events tell of without a flow run", () => {
  const readTask = async (id: string) =>
    (await call<Task & { flow_run_id: string | null }>("GET", `/task_runs/${id}`)).body;
  const states = async (id: string) => {
    const { status, body } = await call<{ type: string }[]>("GET", `/task_run_states/?task_run_id=${id}`);
    return status === 200 ? body.map(({ type }) => type) : [];
  };

  it("are outside flows, whatever the order of the events, and survive their owner's memory", async ({ expect }) => {
    const task = crypto.randomUUID();
    const peer = await connectAsPrefect(IN);
    const events = ["PENDING", "RUNNING", "COMPLETED"].map((type, index) => stateEvent(null, task, type, index));
    for (const event of [events[2], events[0], events[1], events[1]]) peer.send(event);
    await until("three states", async () => (await states(task)).length === 3);
    await evictDurableObject(env.TASK_RUNS.getByName(taskPartitionOf(task as TaskRunId)));
    expect(await readTask(task)).toMatchObject({
      id: task,
      flow_run_id: null,
      state_type: "COMPLETED",
      total_run_time: 1,
    });
    await until("the copy", async () => {
      const { body } = await call<Task[]>("POST", "/task_runs/filter", {
        task_runs: { id: { any_: [task] }, flow_run_id: { is_null_: true } },
      });
      return body[0]?.state_type === "COMPLETED";
    });
  });

  it("move a background task on that was made over REST", async ({ expect }) => {
    const task = await delay(freshName("task"));
    const peer = await connectAsPrefect(IN);
    const key = { task_key: task.task_key, dynamic_key: task.dynamic_key };
    const later = {
      ...stateEvent(null, task.id, "COMPLETED", 0, key),
      occurred: new Date(Date.now() + 1_000).toISOString(),
    };
    peer.send(later);
    await until("Completed", async () => (await readTask(task.id)).state_type === "COMPLETED");
    expect(await states(task.id)).toEqual(["SCHEDULED", "COMPLETED"]);
  });

  it("belong to the flow run that asked for the background task", async ({ expect }) => {
    const run = await aRun();
    const task = await delay(freshName("task"), { run });
    const peer = await connectAsPrefect(IN);
    const key = { task_key: task.task_key, dynamic_key: task.dynamic_key };
    const later = {
      ...stateEvent(null, task.id, "RUNNING", 0, key),
      occurred: new Date(Date.now() + 1_000).toISOString(),
    };
    peer.send(later);
    await until("Running", async () => (await readTask(task.id)).state_type === "RUNNING");
    expect(await readTask(task.id)).toMatchObject({ id: task.id, flow_run_id: run });
    expect((await tasksOf(run)).map(({ id }) => id)).toEqual([task.id]);
  });
});
