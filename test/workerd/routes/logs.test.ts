import { describe, it } from "vitest";
import { aFlow, call } from "../support/api.ts";

interface Line {
  readonly message: string;
}

async function aRun(): Promise<string> {
  return (await call<{ id: string }>("POST", "/flow_runs/", { flow_id: (await aFlow()).id })).body.id;
}

async function write(run: string, messages: readonly [message: string, second: number][]): Promise<number> {
  const lines = messages.map(([message, second]) => ({
    name: "flow",
    level: 20,
    message,
    timestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
    flow_run_id: run,
  }));
  return (await call("POST", "/logs/", lines)).status;
}

async function read(body: object): Promise<string[]> {
  return (await call<Line[]>("POST", "/logs/filter", body)).body.map(({ message }) => message);
}

describe("logs of several runs", () => {
  it("are merged by time, and paged after that", async ({ expect }) => {
    const [a, b] = [await aRun(), await aRun()];
    await write(a, [
      ["a1", 1],
      ["a3", 3],
    ]);
    await write(b, [
      ["b2", 2],
      ["b4", 4],
    ]);
    const logs = { flow_run_id: { any_: [a, b] } };
    expect(await read({ logs })).toEqual(["a1", "b2", "a3", "b4"]);
    expect(await read({ logs, sort: "TIMESTAMP_DESC", limit: 2, offset: 1 })).toEqual(["a3", "b2"]);
  });

  it("hold each line once, even when a run is named twice", async ({ expect }) => {
    const run = await aRun();
    await write(run, [["only", 1]]);
    expect(await read({ logs: { flow_run_id: { any_: [run, run, run.toUpperCase()] } } })).toEqual(["only"]);
  });

  it("are read from at most 200 runs at a time", async ({ expect }) => {
    const ids = (count: number) =>
      Array.from({ length: count }, (_, n) => `0193a000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`);
    const status = async (any_: string[]) =>
      (await call("POST", "/logs/filter", { logs: { flow_run_id: { any_ } } })).status;
    expect(await status(ids(200))).toBe(200);
    expect(await status(ids(201))).toBe(422);
  });
});

describe("log lines", () => {
  it("come at most 1,000 at a time", async ({ expect }) => {
    const run = await aRun();
    const lines = (count: number) => Array.from({ length: count }, (_, n): [string, number] => [`${n}`, 0]);
    expect(await write(run, lines(1_000))).toBe(201);
    expect(await write(run, lines(1_001))).toBe(422);
  });
});

describe("lines that no flow run owns", () => {
  it("are kept under the task run or the run that they name, whether or not that is known", async ({ expect }) => {
    const [task, run] = [crypto.randomUUID(), crypto.randomUUID()];
    const line = (message: string, more: object) => ({
      name: "task",
      level: 20,
      message,
      timestamp: new Date().toISOString(),
      ...more,
    });
    await call("POST", "/logs/", [line("of a task", { task_run_id: task }), line("of a run", { flow_run_id: run })]);
    await call("POST", "/logs/", [line("later", { task_run_id: task })]);
    expect(await read({ logs: { task_run_id: { any_: [task] } } })).toEqual(["of a task", "later"]);
    expect(await read({ logs: { flow_run_id: { any_: [run] } } })).toEqual(["of a run"]);
    expect(await read({ logs: { task_run_id: { any_: [task] } }, sort: "TIMESTAMP_DESC", limit: 1 })).toEqual([
      "later",
    ]);
  });

  it("go with their task run", async ({ expect }) => {
    const request = { task_key: "loose", dynamic_key: crypto.randomUUID(), state: { type: "COMPLETED" } };
    const { id } = (await call<{ id: string }>("POST", "/task_runs/", request)).body;
    const line = { name: "t", level: 20, message: "x", timestamp: new Date().toISOString(), task_run_id: id };
    await call("POST", "/logs/", [line]);
    const logs = { task_run_id: { any_: [id] } };
    expect(await read({ logs })).toEqual(["x"]);
    await call("DELETE", `/task_runs/${id}`);
    expect(await read({ logs })).toEqual([]);
  });
});
