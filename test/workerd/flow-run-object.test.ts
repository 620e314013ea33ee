import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { RunClientFrame } from "#protocol/run-channel";
import { clock } from "../../durable-objects/clock.ts";
import { freshRunId, newRun, ownerStub, pooledRun, state, until } from "./support/runs.ts";

const SESSION = "0193a000-0000-7000-8000-00000005e551";

const hello = (generation: number | null = null, session = SESSION) =>
  RunClientFrame.parse({ type: "hello", protocol: 1, session, generation });

function taskBatch(n: number, types: readonly string[], dynamicKey = "0") {
  const at = Date.now();
  return RunClientFrame.parse({
    type: "batch",
    n,
    items: [
      {
        kind: "task",
        task: {
          id: crypto.randomUUID(),
          name: "extract-0",
          task_key: "extract",
          dynamic_key: dynamicKey,
          run_count: 1,
          states: types.map((type, index) => ({
            id: crypto.randomUUID(),
            type,
            name: type,
            timestamp: new Date(at + index).toISOString(),
            message: null,
            data: null,
            state_details: {},
          })),
        },
      },
      { kind: "log", log: { name: "sluice", level: 20, message: `batch ${n}`, timestamp: new Date(at).toISOString() } },
    ],
  });
}

describe("a flow run's owner", () => {
  it("answers a creation only after the run is listed in D1", async ({ expect }) => {
    const id = freshRunId();
    const { run, created } = await ownerStub(id).create(newRun(id));
    expect(created).toBe(true);
    expect(run.state_type).toBe("PENDING");
    const row = await env.DB.prepare("SELECT state_type, version FROM flow_runs WHERE id = ?").bind(id).first();
    expect(row?.["state_type"]).toBe("PENDING");
  });

  it("answers the run that is there when an id is created twice", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id));
    const again = await ownerStub(id).create(newRun(id, { name: "other" }));
    expect(again).toMatchObject({ created: false, run: { name: "quiet-otter" } });
  });

  it("stores nothing when it is asked about a run that it does not know", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    expect(await owner.read(id)).toBeNull();
    expect(await owner.setState(id, { state: state("RUNNING"), force: false })).toBeNull();
    const tables = await runInDurableObject(owner, (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'runs'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("keeps state, history and version across eviction", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    await owner.setState(id, { state: state("RUNNING"), force: false });
    await evictDurableObject(owner);
    expect((await owner.read(id))?.state_type).toBe("RUNNING");
    expect((await owner.states(id))?.map(({ type }) => type)).toEqual(["PENDING", "RUNNING"]);
    await owner.setState(id, { state: state("COMPLETED"), force: false });
    expect((await owner.read(id))?.run_count).toBe(1);
  });

  it("copies every change to D1, the newest last, and tells each writer the verdict", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    const running = await owner.setState(id, { state: state("RUNNING"), force: false });
    expect(running).toMatchObject({ written: true, result: { status: "ACCEPT", state: { type: "RUNNING" } } });
    const refused = await owner.setState(id, { state: state("PENDING"), force: false });
    expect(refused).toMatchObject({ written: false, result: { status: "ABORT" } });
    await owner.setState(id, { state: state("COMPLETED"), force: false });
    await until("D1 shows COMPLETED", async () => {
      const row = await env.DB.prepare("SELECT state_type FROM flow_runs WHERE id = ?").bind(id).first();
      return row?.["state_type"] === "COMPLETED";
    });
  });

  it("copies what was stored right before its memory was lost", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    // What the copier has in memory is lost; the journal above the watermark brings it back.
    await env.DB.prepare("DELETE FROM flow_runs WHERE id = ?").bind(id).run();
    await evictDurableObject(owner);
    await owner.read(id);
    await until("the copy is made again", async () =>
      env.DB.prepare("SELECT id FROM flow_runs WHERE id = ?").bind(id).first(),
    );
    expect((await owner.read(id))?.id).toBe(id);
  });

  it("lets one of two simultaneous claims win", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(pooledRun(id, `pool-${id}`));
    const tickets = await Promise.all([owner.claim(id, { name: "a" }), owner.claim(id, { name: "b" })]);
    expect(tickets.filter((ticket) => ticket !== null)).toHaveLength(1);
    expect((await owner.read(id))?.state_type).toBe("PENDING");
  });

  it("answers the same claim to a pool that asks again for the same worker", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(pooledRun(id, `pool-${id}`));
    const first = await owner.claim(id, { name: "a" });
    const again = await owner.claim(id, { name: "a" });
    expect(again?.generation).toBe(first?.generation);
  });

  it("gives a claim back when its lease ends and its worker is gone, three times at most", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(pooledRun(id, `pool-${id}`));
    for (const attempt of [1, 2, 3]) {
      const ticket = await owner.claim(id, { name: "gone" });
      expect(ticket?.generation).toBe(attempt);
      clock.move(60_000);
      await runDurableObjectAlarm(owner);
      // An object that has just started gives a passed deadline one more term.
      if ((await owner.read(id))?.state_type === "PENDING") {
        clock.move(60_000);
        await runDurableObjectAlarm(owner);
      }
      const run = await owner.read(id);
      expect(run?.state_type).toBe(attempt < 3 ? "SCHEDULED" : "CRASHED");
    }
    const run = await owner.read(id);
    expect(run?.state?.message).toContain('Worker "gone" claimed it');
    expect(await owner.claim(id, { name: "late" })).toBeNull();
  });

  it("refuses a process that works under an older claim", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(pooledRun(id, `pool-${id}`));
    await owner.claim(id, { name: "a" });
    const [answer] = await owner.frames(id, [hello(0)]);
    expect(answer).toMatchObject({ type: "error", code: "stale_generation" });
    const [welcome] = await owner.frames(id, [hello(1)]);
    expect(welcome).toMatchObject({ type: "welcome", generation: 1 });
  });
});

describe("the run channel", () => {
  it("acknowledges a batch after it is stored, and stores it once however often it comes", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    const batch = taskBatch(1, ["RUNNING", "COMPLETED"]);
    const answers = await owner.frames(id, [hello(), batch, batch]);
    expect(answers.map(({ type }) => type)).toEqual(["welcome", "ack", "ack"]);
    await evictDurableObject(owner);
    const [welcome] = await owner.frames(id, [hello(), batch]);
    expect(welcome).toMatchObject({ type: "welcome", acked: 1 });
    const tasks = await owner.taskRuns(id);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({ state_type: "COMPLETED", flow_run_id: id });
    const logs = await owner.logs(id, { filter: null, sort: "TIMESTAMP_ASC", limit: 200, offset: 0 });
    expect(logs.map(({ message }) => message)).toEqual(["batch 1"]);
  });

  it("orders a task's states by their time, whatever the order of the reports", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    const early = taskBatch(2, ["PENDING", "RUNNING"]);
    const late = taskBatch(1, ["COMPLETED"]);
    if (late.type === "batch" && late.items[0]?.kind === "task") {
      const reported = late.items[0].task.states[0];
      if (reported) reported.timestamp = "2099-01-01T00:00:00.000000Z" as typeof reported.timestamp;
    }
    await owner.frames(id, [hello(), late, early]);
    expect((await owner.taskRuns(id))[0]).toMatchObject({ state_type: "COMPLETED" });
  });

  it("answers a proposal with a verdict", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    const propose = RunClientFrame.parse({ type: "propose", id: 7, state: { type: "RUNNING" } });
    const answers = await owner.frames(id, [hello(), propose]);
    expect(answers[1]).toMatchObject({ type: "verdict", id: 7, result: { status: "ACCEPT" } });
  });

  it.for([
    { retriable: false, state: "FAILED", status: "ACCEPT" },
    { retriable: null, state: "SCHEDULED", status: "REJECT" },
  ])("retries a failure that its process calls retriable: $retriable or not, as that says", async (row, { expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id, {}, { empirical_policy: { retries: 3, retry_delay: 60 } }));
    const propose = (n: number, state: object) => RunClientFrame.parse({ type: "propose", id: n, state });
    const failed = { type: "FAILED", state_details: { retriable: row.retriable } };
    const answers = await owner.frames(id, [hello(), propose(1, { type: "RUNNING" }), propose(2, failed)]);
    expect(answers[2]).toMatchObject({ type: "verdict", result: { status: row.status, state: { type: row.state } } });
    expect((await owner.read(id))?.empirical_policy.retry_type).toBe(row.retriable === false ? null : "in_process");
  });

  it("says hello first or not at all", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    expect(await owner.frames(id, [taskBatch(1, ["RUNNING"])])).toMatchObject([
      { type: "error", code: "hello_missing" },
    ]);
  });

  it("ends a running flow Crashed when its process falls silent, but not for time in which nobody listened", async ({
    expect,
  }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    await owner.frames(id, [hello(), RunClientFrame.parse({ type: "propose", id: 1, state: { type: "RUNNING" } })]);
    await evictDurableObject(owner);
    clock.move(10 * 60_000);
    await owner.read(id);
    await runDurableObjectAlarm(owner);
    expect((await owner.read(id))?.state_type).toBe("RUNNING");
    clock.move(60_000);
    await runDurableObjectAlarm(owner);
    const run = await owner.read(id);
    expect(run?.state_type).toBe("CRASHED");
    expect(run?.state?.message).toContain("has not been heard of");
  });

  it("goes on over a WebSocket that outlives an eviction of the object", async ({ expect }) => {
    const id = freshRunId();
    const owner = ownerStub(id);
    await owner.create(newRun(id));
    const response = await owner.fetch("http://sluice/channel", {
      headers: { upgrade: "websocket", "x-sluice-flow-run-id": id },
    });
    const socket = response.webSocket;
    if (!socket) throw new Error("no WebSocket");
    const frames: { type: string }[] = [];
    socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data))));
    socket.accept();
    socket.send(JSON.stringify(hello()));
    await until("welcome", async () => frames.find(({ type }) => type === "welcome"));
    await evictDurableObject(owner, { webSockets: "hibernate" });
    socket.send(JSON.stringify(taskBatch(1, ["RUNNING"])));
    await until("ack", async () => frames.find(({ type }) => type === "ack"));
    expect(await owner.taskRuns(id)).toHaveLength(1);
    await owner.setState(id, { state: state("RUNNING"), force: false });
    await owner.update(id, { infrastructure_pid: "1" });
    await owner.setState(id, { state: state("CANCELLING"), force: false });
    await until("control", async () => frames.find(({ type }) => type === "control"));
    socket.close();
  });
});
