import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { LIMITS, SPANS } from "#protocol/limits";
import type { TaskRun } from "#protocol/task-runs";
import type { TaskWorker } from "#protocol/task-workers";
import type { EpochMs } from "#protocol/time";
import { clock } from "../../durable-objects/clock.ts";
import { queueOf } from "../../durable-objects/task-queue-owner.ts";
import { aFlow, call, freshName } from "./support/api.ts";
import { until } from "./support/runs.ts";
import { delay, TaskWorkerClient } from "./support/task-workers.ts";

const HUB = () => env.TASK_SUBSCRIPTIONS.getByName("subscriptions-0");
const queue = (key: string) => env.TASK_QUEUES.getByName(key);

describe("the socket of task workers", () => {
  it("echoes the subprotocol and answers auth_success although nobody has to authenticate", async ({ expect }) => {
    const client = await TaskWorkerClient.dial();
    client.send({ type: "auth", token: null });
    await until("auth_success", async () => client.frames.length === 1);
    expect(client.protocol).toBe("prefect");
    expect(client.frames).toEqual([{ type: "auth_success" }]);
  });

  it.for([
    { frame: { type: "auth" }, code: 4001, reason: "Protocol violation: expected 'subscribe' message" },
    { frame: "{", code: 4001, reason: "Protocol violation: expected 'subscribe' message" },
    { frame: { type: "subscribe" }, code: 4001, reason: "Protocol violation: expected 'keys' in subscribe message" },
    {
      frame: { type: "subscribe", keys: [], client_id: "a" },
      code: 4001,
      reason: "Protocol violation: expected 'keys' in subscribe message",
    },
    {
      frame: { type: "subscribe", keys: ["a"] },
      code: 4001,
      reason: "Protocol violation: expected 'client_id' in subscribe message",
    },
  ])("is closed with $code after $frame", async ({ frame, code, reason }, { expect }) => {
    const client = await TaskWorkerClient.dial();
    client.send({ type: "auth", token: null });
    client.send(frame);
    expect(await client.waitForClose()).toEqual({ code, reason });
  });

  it("is closed with 1008 when the first frame is not auth", async ({ expect }) => {
    const client = await TaskWorkerClient.dial();
    client.send({ type: "subscribe", keys: ["a"], client_id: "b" });
    expect(await client.waitForClose()).toEqual({ code: 1008, reason: "Expected 'auth' message" });
  });

  it("lets old clients in that ask for no subprotocol", async ({ expect }) => {
    const key = freshName("task");
    const task = await delay(key);
    const client = await TaskWorkerClient.dial({});
    client.send({ type: "subscribe", keys: [key], client_id: "old" });
    expect((await client.take())[0]?.id).toBe(task.id);
  });

  it("is closed with 4001 by anything but ack and quit, and the task waits again", async ({ expect }) => {
    const key = freshName("task");
    const task = await delay(key);
    const client = await TaskWorkerClient.connect([key]);
    await client.take();
    client.send({ type: "nack" });
    expect(await client.waitForClose()).toMatchObject({ code: 4001 });
    const other = await TaskWorkerClient.connect([key]);
    expect((await other.take())[0]?.id).toBe(task.id);
  });
});

/** A background task that runs, in the hand of a worker that holds it. */
async function inHand() {
  const key = freshName("task");
  const { id } = await delay(key);
  const holder = crypto.randomUUID();
  const first = await TaskWorkerClient.connect([key], "holder", { holder });
  await first.take();
  await call("POST", `/task_runs/${id}/set_state`, { state: { type: "RUNNING" }, force: true });
  return { key, id, holder, first };
}

describe("a background task", () => {
  it("is delivered as it was made, with the id of its parameters", async ({ expect }) => {
    const key = freshName("task");
    const task_parameters_id = crypto.randomUUID();
    const client = await TaskWorkerClient.connect([key]);
    const task = await delay(key, { details: { task_parameters_id } });
    const [received] = await client.take();
    expect(received).toMatchObject({ id: task.id, task_key: key, flow_run_id: null, state_type: "SCHEDULED" });
    expect(received?.state?.state_details).toMatchObject({ deferred: true, task_parameters_id });
  });

  it("of a flow is delivered too", async ({ expect }) => {
    const flow = await aFlow();
    const run = await call<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id, state: { type: "RUNNING" } });
    const key = freshName("task");
    const task = await delay(key, { run: run.body.id });
    const client = await TaskWorkerClient.connect([key]);
    expect((await client.take())[0]).toMatchObject({ id: task.id, flow_run_id: run.body.id });
  });

  it("comes one at a time, in order, and the next after ack", async ({ expect }) => {
    const key = freshName("task");
    const tasks = [await delay(key), await delay(key), await delay(key)];
    const client = await TaskWorkerClient.connect([key]);
    for (const count of [1, 2, 3]) {
      await client.take(count);
      await scheduler.wait(20);
      expect(client.received).toHaveLength(count);
      client.acknowledge();
    }
    expect(client.received.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
  });

  it("that was not acknowledged waits again before all others, the acknowledged one does not", async ({ expect }) => {
    const key = freshName("task");
    const tasks = [await delay(key), await delay(key), await delay(key)];
    const first = await TaskWorkerClient.connect([key]);
    await first.take();
    first.acknowledge();
    await first.take(2);
    first.close();
    const second = await TaskWorkerClient.connect([key]);
    await second.take();
    second.acknowledge();
    await second.take(2);
    expect(second.received.map(({ id }) => id)).toEqual([tasks[1]?.id, tasks[2]?.id]);
  });

  it("that was begun by a worker that holds its tasks waits again when that goes away, three times at most", async ({
    expect,
  }) => {
    const key = freshName("task");
    const task_parameters_id = crypto.randomUUID();
    const { id } = await delay(key, { details: { task_parameters_id } });
    const run = async () => (await call<TaskRun>("GET", `/task_runs/${id}`)).body;
    // The clock goes on: what waits again is due by the clock of its owner.
    const undo: (() => void)[] = [];
    for (const attempt of [1, 2, 3]) {
      const client = await TaskWorkerClient.connect([key], "holder", { holder: crypto.randomUUID() });
      const [received] = await client.take();
      expect(received).toMatchObject({ id, state: { state_details: { deferred: true, task_parameters_id } } });
      await call("POST", `/task_runs/${id}/set_state`, { state: { type: "RUNNING" }, force: true });
      // Its owner tells the queue that it does not wait any more.
      await queueOf(env, key).withdraw(id);
      client.close();
      const expected = attempt < 3 ? "AwaitingWorker" : "Crashed";
      await until(expected, async () => {
        // The socket's end may not have been heard of yet.
        undo.push(await passed(key));
        return (await run()).state_name === expected;
      });
    }
    expect((await run()).state?.message).toBe(
      "The task worker that ran it went away before it ended. That happened 3 times.",
    );
    for (const turnBack of undo) turnBack();
  });

  it("of a worker that holds it and was heard going away waits again 15 s later, although its lease is longer", async ({
    expect,
  }) => {
    const { key, id, first: lost } = await inHand();
    const other = await TaskWorkerClient.connect([key], "other", { holder: crypto.randomUUID() });
    lost.close();
    await until("its absence is known, and looked at in time", async () => {
      const alarmAt = await runInDurableObject(queue(key), (_, { storage }) => storage.getAlarm());
      return (await missingSince(key)) !== null && Number(alarmAt) <= clock.now() + SPANS.taskWorkerReturnsMs;
    });
    clock.move(SPANS.taskWorkerReturnsMs - 2_000);
    await runDurableObjectAlarm(queue(key));
    expect((await counts(key)).held).toBe(1);
    clock.move(2_000);
    await runDurableObjectAlarm(queue(key));
    expect((await other.take())[0]?.id).toBe(id);
    clock.move(-SPANS.taskWorkerReturnsMs);
  });

  it("stays in the hand of a worker that was away twice, each time for less than 15 s", async ({ expect }) => {
    const { key, id, holder, first } = await inHand();
    first.close();
    await until("its absence is known", async () => (await missingSince(key)) !== null);
    const since = await missingSince(key);
    clock.move(SPANS.taskWorkerReturnsMs - 2_000);
    const again = await TaskWorkerClient.connect([key], "holder", { holder, inHand: { id, task_key: key } });
    again.close();
    await until("its next absence is known", async () => (await missingSince(key)) !== since);
    clock.move(2_000);
    await runDurableObjectAlarm(queue(key));
    expect((await counts(key)).held).toBe(1);
    clock.move(-SPANS.taskWorkerReturnsMs);
  });

  it("stays in the hand of a worker that holds it and comes back in time", async ({ expect }) => {
    const { key, id, holder, first } = await inHand();
    first.close();
    const again = await TaskWorkerClient.connect([key], "holder", { holder, inHand: { id, task_key: key } });
    const other = await TaskWorkerClient.connect([key], "other", { holder: crypto.randomUUID() });
    (await passed(key))();
    expect((await call<TaskRun>("GET", `/task_runs/${id}`)).body.state_name).toBe("Running");
    again.acknowledge();
    const next = await delay(key);
    await until("the next one comes", async () => [...again.received, ...other.received].length === 1);
    expect([...again.received, ...other.received][0]?.id).toBe(next.id);
  });

  it("that a worker had ended before it went away is over, although it had not acknowledged it", async ({ expect }) => {
    const key = freshName("task");
    const { id } = await delay(key);
    const client = await TaskWorkerClient.connect([key], "holder", { holder: crypto.randomUUID() });
    await client.take();
    await call("POST", `/task_runs/${id}/set_state`, { state: { type: "COMPLETED" }, force: true });
    client.close();
    const undo: (() => void)[] = [];
    await until("it is forgotten", async () => {
      undo.push(await passed(key));
      return runInDurableObject(queue(key), async (_, { storage }) => {
        return storage.sql.exec("SELECT 1 FROM tasks WHERE holder = ''").toArray().length === 1;
      });
    });
    for (const turnBack of undo) turnBack();
    expect((await call<TaskRun>("GET", `/task_runs/${id}`)).body.state_name).toBe("Completed");
  });

  it("that a worker has when it quits is the worker's", async ({ expect }) => {
    const key = freshName("task");
    const [, second] = [await delay(key), await delay(key)];
    const client = await TaskWorkerClient.connect([key]);
    await client.take();
    client.send({ type: "quit" });
    expect(await client.waitForClose()).toMatchObject({ code: 1000 });
    const other = await TaskWorkerClient.connect([key]);
    expect((await other.take())[0]?.id).toBe(second.id);
  });

  it("that is due later is delivered then, by the alarm", async ({ expect }) => {
    const key = freshName("task");
    const client = await TaskWorkerClient.connect([key]);
    await delay(key, { details: { scheduled_time: new Date(Date.now() + 60_000).toISOString() } });
    const now = await delay(key);
    expect((await client.take())[0]?.id).toBe(now.id);
    client.acknowledge();
    await scheduler.wait(20);
    expect(client.received).toHaveLength(1);
    clock.move(60_000);
    await runDurableObjectAlarm(queue(key));
    await client.take(2);
    clock.move(-60_000);
  });

  it("that is to be retried goes before those that wait", async ({ expect }) => {
    const key = freshName("task");
    const first = await delay(key);
    const retry = await delay(key);
    await queueOf(env, key).withdraw(retry.id);
    const state = { type: "SCHEDULED", name: "AwaitingRetry", state_details: { deferred: true } };
    await call("POST", `/task_runs/${retry.id}/set_state`, { state });
    const later = await delay(key);
    const client = await TaskWorkerClient.connect([key]);
    for (const count of [1, 2, 3]) {
      await client.take(count);
      client.acknowledge();
    }
    expect(client.received.map(({ id }) => id)).toEqual([retry.id, first.id, later.id]);
  });

  it.for([
    {
      what: "cancelled",
      act: (id: string) => call("POST", `/task_runs/${id}/set_state`, { state: { type: "CANCELLED" } }),
    },
    { what: "deleted", act: (id: string) => call("DELETE", `/task_runs/${id}`) },
  ])("that was $what before is not delivered", async ({ act }, { expect }) => {
    const key = freshName("task");
    const gone = await delay(key);
    const stays = await delay(key);
    expect((await act(gone.id)).status).toBeLessThan(300);
    await until("it is withdrawn", async () => (await counts(key)).waiting === 1);
    const client = await TaskWorkerClient.connect([key]);
    expect((await client.take())[0]?.id).toBe(stays.id);
  });

  it("that was begun although its ack was lost is not delivered to another worker", async ({ expect }) => {
    const key = freshName("task");
    const task = await delay(key);
    const client = await TaskWorkerClient.connect([key]);
    await client.take();
    await call("POST", `/task_runs/${task.id}/set_state`, { state: { type: "PENDING" }, force: true });
    client.close();
    await until("nothing waits", async () => (await counts(key)).held === 0);
    expect(await counts(key)).toEqual({ waiting: 0, held: 0 });
  });

  it("is enqueued once, however often its owner says so", async ({ expect }) => {
    const key = freshName("task");
    const task = await delay(key);
    const again = { task, dueAt: Date.now() as EpochMs, isRetry: false };
    await queueOf(env, key).enqueue(again);
    await queueOf(env, key).enqueue(again);
    expect(await counts(key)).toEqual({ waiting: 1, held: 0 });
    const client = await TaskWorkerClient.connect([key]);
    await client.take();
    await queueOf(env, key).enqueue(again);
    client.acknowledge();
    await until("the ack", async () => (await counts(key)).held === 0);
    await queueOf(env, key).enqueue(again);
    expect(await counts(key)).toEqual({ waiting: 0, held: 0 });
  });
});

describe("subscribers", () => {
  it("share the tasks", async ({ expect }) => {
    const key = freshName("task");
    const clients = await Promise.all(["a", "b", "c"].map((name) => TaskWorkerClient.connect([key], name)));
    await until("all are known", async () => (await subscribers(key)) === 3);
    for (const client of clients) client.acknowledgesAtOnce = true;
    const tasks = await Promise.all(Array.from({ length: 30 }, () => delay(key)));
    await until("all", async () => clients.flatMap(({ received }) => received).length === 30);
    expect(new Set(clients.flatMap(({ received }) => received.map(({ id }) => id)))).toEqual(
      new Set(tasks.map(({ id }) => id)),
    );
    expect(Math.min(...clients.map(({ received }) => received.length))).toBeGreaterThanOrEqual(5);
  });

  it("get the tasks of all their keys in turn, and of no others", async ({ expect }) => {
    const [a, b, other] = [freshName("task"), freshName("task"), freshName("task")];
    for (const key of [a, a, a, b, other]) await delay(key);
    const client = await TaskWorkerClient.connect([a, b]);
    for (let count = 1; count <= 4; count++) {
      await client.take(count);
      client.acknowledge();
    }
    expect(
      client.received
        .slice(0, 2)
        .map(({ task_key }) => task_key)
        .sort(),
    ).toEqual([a, b].sort());
    await scheduler.wait(20);
    expect(client.received.map(({ task_key }) => task_key)).not.toContain(other);
    await delay(b);
    expect((await client.take(5))[4]?.task_key).toBe(b);
  });

  it("keep what they have when the objects lose their memory", async ({ expect }) => {
    const key = freshName("task");
    const tasks = [await delay(key), await delay(key)];
    const client = await TaskWorkerClient.connect([key]);
    await client.take();
    await evictDurableObject(queue(key));
    await evictDurableObject(HUB());
    const other = await TaskWorkerClient.connect([key], "other");
    expect((await other.take())[0]?.id).toBe(tasks[1]?.id);
    client.acknowledge();
    other.acknowledge();
    await until("both are acknowledged", async () => (await counts(key)).held === 0);
    const third = await delay(key);
    await until("the third", async () => client.received.length + other.received.length === 3);
    expect([...client.received, ...other.received].map(({ id }) => id)).toContain(third.id);
  });

  it("that vanish with the server lose what they had, once the lease is over", async ({ expect }) => {
    const key = freshName("task");
    const task = await delay(key);
    const client = await TaskWorkerClient.connect([key]);
    await client.take();
    await evictDurableObject(HUB(), { webSockets: "close" });
    await evictDurableObject(queue(key));
    expect(await counts(key)).toEqual({ waiting: 0, held: 1 });
    clock.move(SPANS.taskLeaseMs);
    await runDurableObjectAlarm(queue(key));
    clock.move(-SPANS.taskLeaseMs);
    await until("it waits again", async () => (await counts(key)).held === 0);
    const other = await TaskWorkerClient.connect([key], "other");
    expect((await other.take())[0]?.id).toBe(task.id);
  });

  it("are listed while they are there, by their keys", async ({ expect }) => {
    const [a, b] = [freshName("task"), freshName("task")];
    const name = freshName("worker");
    const clients = [await TaskWorkerClient.connect([a], name), await TaskWorkerClient.connect([b], name)];
    const list = async (keys: string[]) =>
      (await call<TaskWorker[]>("POST", "/task_workers/filter", { task_worker_filter: { task_keys: keys } })).body;
    const [worker] = await until("the worker", async () => {
      const found = await list([b]);
      return found[0]?.task_keys.length === 2 && found;
    });
    expect(worker).toMatchObject({ identifier: name, task_keys: expect.arrayContaining([a, b]) });
    for (const client of clients) client.close();
    await until("they left", async () =>
      runInDurableObject(
        HUB(),
        (_, { storage }) =>
          storage.sql.exec("SELECT 1 FROM subscribers WHERE client_id = ? AND left_at IS NULL", name).toArray()
            .length === 0,
      ),
    );
    clock.move(SPANS.taskWorkerListedMs + 1);
    await until("it is gone", async () => (await list([a])).length === 0);
    clock.move(-SPANS.taskWorkerListedMs - 1);
  });
});

describe("a queue that is full", () => {
  it("has no room for another task, and the API says so", async ({ expect }) => {
    const key = freshName("task");
    await delay(key);
    await until("it waits", async () => (await counts(key)).waiting === 1);
    const [queued] = await runInDurableObject(queue(key), (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO tasks SELECT 'filler-' || i, '', 1, 0, NULL, '{}' FROM n`,
        LIMITS.queuedTasks - 1,
      );
      return storage.sql.exec<{ count: number }>("SELECT count(*) AS count FROM tasks").toArray();
    });
    expect(queued?.count).toBe(LIMITS.queuedTasks);
    await evictDurableObject(queue(key));
    const { status, body } = await call("POST", "/task_runs/", {
      task_key: key,
      dynamic_key: "more",
      state: { type: "SCHEDULED", state_details: { deferred: true } },
    });
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: "overloaded", exception_message: expect.stringContaining(key) });
  });
});

async function counts(key: string): Promise<{ waiting: number; held: number }> {
  return runInDurableObject(queue(key), (_, { storage }) => {
    if (storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").toArray().length === 0) {
      return { waiting: 0, held: 0 };
    }
    const count = (where: string) =>
      storage.sql.exec<{ count: number }>(`SELECT count(*) AS count FROM tasks WHERE ${where}`).one().count;
    return { waiting: count("holder IS NULL"), held: count("holder > ''") };
  });
}

async function subscribers(key: string): Promise<number> {
  return runInDurableObject(queue(key), (_, { storage }) => {
    const tables = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'subscribers'").toArray();
    if (tables.length === 0) return 0;
    return storage.sql.exec<{ count: number }>("SELECT count(*) AS count FROM subscribers").one().count;
  });
}

/** Since when the holder of a task is known to be away; null where it is not. */
async function missingSince(key: string): Promise<number | null> {
  return runInDurableObject(queue(key), (_, { storage }) => {
    const rows = storage.sql.exec<{ due_at: number }>("SELECT due_at FROM tasks WHERE holder > '' AND due_at < 0");
    return rows.toArray()[0]?.due_at ?? null;
  });
}

/** The lease of a task in hand passes, and the queue asks whether it still is. Answers what turns the clock back. */
async function passed(key: string): Promise<() => void> {
  clock.move(SPANS.taskLeaseMs);
  await runDurableObjectAlarm(queue(key));
  return () => clock.move(-SPANS.taskLeaseMs);
}
