/**
 * The live stream of a run: a snapshot and then every change, whatever happens meanwhile.
 *
 * Teeth: a stream that forgot task runs, or those beyond its first frame, one that forgot its watchers with the memory of its
 * object, or all of them when one goes, and a snapshot with its lines backwards fail here.
 */
import { evictDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import { RunClientFrame } from "#protocol/run-channel";
import { FRAME_TASK_RUNS, RunStreamFrame, STREAM_CLOSE } from "#protocol/run-stream";
import { call } from "./support/api.ts";
import { freshRunId, newRun, ownerStub, state, until } from "./support/runs.ts";

interface Watcher {
  readonly frames: RunStreamFrame[];
  readonly closed: { code: number | null };
  readonly socket: WebSocket;
}

async function watch(id: string): Promise<Watcher> {
  const response = await exports.default.fetch(`http://localhost:4200/api/flow_runs/${id}/stream`, {
    headers: { upgrade: "websocket" },
  });
  const socket = response.webSocket;
  if (!socket) throw new Error(`No WebSocket: ${response.status}`);
  const frames: RunStreamFrame[] = [];
  const closed: { code: number | null } = { code: null };
  socket.addEventListener("message", ({ data }) => {
    if (data !== "pong") frames.push(RunStreamFrame.parse(JSON.parse(String(data))));
  });
  socket.addEventListener("close", ({ code }) => {
    closed.code = code;
  });
  socket.accept();
  await until("the snapshot", async () => frames[0]?.type === "snapshot");
  return { frames, closed, socket };
}

/** What the watcher knows by now: the snapshot with every change put in. */
function known({ frames }: Watcher) {
  const view = { state: "", tasks: new Map<string, string | null>(), logs: [] as string[] };
  for (const frame of frames) {
    if (frame.type === "snapshot" || frame.type === "flow_run") view.state = frame.flow_run.state_type ?? "";
    if (frame.type === "snapshot" || frame.type === "task_runs") {
      for (const task of frame.task_runs) view.tasks.set(task.task_key, task.state_type);
    }
    if (frame.type === "snapshot" || frame.type === "logs") view.logs.push(...frame.logs.map(({ message }) => message));
  }
  return view;
}

const log = (id: string, message: string) => [
  { name: "flow", level: 20, message, timestamp: new Date().toISOString(), flow_run_id: id },
];

const running = (task_key: string) => ({
  id: crypto.randomUUID(),
  name: task_key,
  task_key,
  dynamic_key: "0",
  run_count: 1,
  states: [{ ...state("RUNNING"), id: crypto.randomUUID(), name: "Running", timestamp: new Date().toISOString() }],
});

describe("the stream of a flow run", () => {
  it("begins with what is known and goes on with each change", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id));
    for (const line of ["long before", "before"]) await call("POST", "/logs/", log(id, line));
    const watcher = await watch(id);
    expect(known(watcher)).toEqual({ state: "PENDING", tasks: new Map(), logs: ["long before", "before"] });
    await ownerStub(id).setState(id, { state: state("RUNNING"), force: false });
    await call("POST", "/task_runs/", { flow_run_id: id, task_key: "a", dynamic_key: "0", state: { type: "RUNNING" } });
    await call("POST", "/logs/", log(id, "during"));
    await ownerStub(id).setState(id, { state: state("COMPLETED"), force: false });
    await until("all of it", async () => known(watcher).state === "COMPLETED" && known(watcher).logs.length === 3);
    expect(known(watcher)).toEqual({
      state: "COMPLETED",
      tasks: new Map([["a", "RUNNING"]]),
      logs: ["long before", "before", "during"],
    });
  });

  it("goes on after the owner was evicted, and tells watchers of other runs nothing", async ({ expect }) => {
    const id = freshRunId();
    const other = freshRunId();
    for (const run of [id, other]) await ownerStub(run).create(newRun(run));
    const [watcher, elsewhere] = [await watch(id), await watch(other)];
    await evictDurableObject(ownerStub(id));
    await ownerStub(id).setState(id, { state: state("RUNNING"), force: false });
    await until("the change", async () => known(watcher).state === "RUNNING");
    expect(known(elsewhere).state).toBe("PENDING");
    expect(elsewhere.frames).toHaveLength(1);
  });

  it("goes on for whoever stays when another one leaves", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id));
    const [leaves, stays] = [await watch(id), await watch(id)];
    leaves.socket.close(1000, "Enough.");
    await until("the close", async () => leaves.closed.code !== null);
    await ownerStub(id).setState(id, { state: state("RUNNING"), force: false });
    await until("the change", async () => known(stays).state === "RUNNING");
    expect(leaves.frames).toHaveLength(1);
  });

  it("sends more task runs than fit into one frame in several", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    const keys = Array.from({ length: FRAME_TASK_RUNS + 1 }, (_, index) => `t${index}`);
    const frame = (value: unknown) => RunClientFrame.parse(value);
    const said = [
      { type: "hello", protocol: 1, session: crypto.randomUUID(), generation: null },
      ...[keys.slice(0, FRAME_TASK_RUNS), keys.slice(FRAME_TASK_RUNS)].map((some, index) => ({
        type: "batch",
        n: index + 1,
        items: some.map((task_key) => ({ kind: "task", task: running(task_key) })),
      })),
    ];
    await ownerStub(id).frames(id, said.map(frame));
    const watcher = await watch(id);
    await until("all task runs", async () => known(watcher).tasks.size === keys.length);
    expect([...known(watcher).tasks.keys()].sort()).toEqual(keys.sort());
    const sizes = watcher.frames.map((frame) => ("task_runs" in frame ? frame.task_runs.length : 0));
    expect(sizes).toEqual([FRAME_TASK_RUNS, 1]);
  });

  it("tells nothing that was refused", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
    const watcher = await watch(id);
    await ownerStub(id).setState(id, { state: state("PENDING"), force: false });
    await call("POST", "/logs/", log(id, "after"));
    await until("the line", async () => known(watcher).logs.length === 1);
    expect(watcher.frames.map(({ type }) => type)).toEqual(["snapshot", "logs"]);
  });

  it("ends when the run is deleted", async ({ expect }) => {
    const id = freshRunId();
    await ownerStub(id).create(newRun(id));
    const watcher = await watch(id);
    await ownerStub(id).remove([id], { kind: "any" });
    await until("the close", async () => watcher.closed.code !== null);
    expect(watcher.closed.code).toBe(STREAM_CLOSE.deleted);
  });

  it("is not opened for a run that is not there", async ({ expect }) => {
    const response = await exports.default.fetch(`http://localhost:4200/api/flow_runs/${freshRunId()}/stream`, {
      headers: { upgrade: "websocket" },
    });
    expect(response.status).toBe(404);
  });
});
