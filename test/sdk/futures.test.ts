/** Waiting for futures: one, several, some of them, and no longer than is wanted. */
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { type ApiClient, createClient } from "../../sdk/client/index.ts";
import { definitionOfTask } from "../../sdk/flow/task.ts";
import { all, asCompleted, DelayedRun, flow, sleep, type TaskFuture, task, wait } from "../../sdk/index.ts";
import type { TaskRun } from "../../sdk/protocol/task-runs.ts";
import { offlineWorld } from "./offline-world.ts";
import { until } from "./until.ts";

const waits = task({ name: "waits" }, async (seconds: number) => {
  await sleep(seconds * 1_000);
  if (seconds === 3) throw new Error("three");
  return seconds;
});

/** What is thrown, or what is answered. */
async function told(work: Promise<unknown>): Promise<unknown> {
  return await work.catch((error: unknown) => String(error));
}

/** Runs as a flow, and answers what it answers, when, and how many timers were left behind. */
async function inFlow<T>(act: () => Promise<T>): Promise<{ value: T; elapsedMs: number; left: number }> {
  using world = offlineWorld();
  let value: T | undefined;
  const main = flow({ name: "main" }, async () => {
    value = await act();
    return { left: world.clock.waiting, elapsedMs: world.clock.elapsedMs };
  });
  const { left, elapsedMs } = (await world.execute(() => main())) as { left: number; elapsedMs: number };
  return { value: value as T, elapsedMs, left };
}

const late = (what: string, span: string): string => `TimedOutError: ${what} exceeded its timeout of ${span}.`;

describe("the timeout of a future", () => {
  it.for<[what: string, act: (future: TaskFuture<number>) => Promise<unknown>, expected: unknown, ms: number]>([
    ["result() ends it", (one) => one.result({ timeout: "5s" }), late('Waiting for task run "waits-0"', "5 s"), 5_000],
    ["wait() ends it", (one) => one.wait({ timeout: 5_000 }), late('Waiting for task run "waits-0"', "5 s"), 5_000],
    ["result() does not need it", (one) => one.result({ timeout: "11s" }), 10, 10_000],
    ["0 does not wait", (one) => one.result({ timeout: 0 }), late('Waiting for task run "waits-0"', "0 ms"), 0],
  ])("is kept: %s", async ([, act, expected, elapsedMs], { expect }) => {
    const { value, ...rest } = await inFlow(async () => await told(act(waits.submit(10))));
    expect(value).toEqual(expected);
    // The task is left to itself: its own timer may still wait, that of the waiting does not.
    expect(rest).toEqual({ elapsedMs, left: elapsedMs < 10_000 ? 1 : 0 });
  });

  it("leaves the task running, whose result can be waited for again", async ({ expect }) => {
    const { value } = await inFlow(async () => {
      const future = waits.submit(10);
      return [await told(future.result({ timeout: "1s" })), await future.result(), (await future.wait())?.name];
    });
    expect(value).toEqual([late('Waiting for task run "waits-0"', "1 s"), 10, "Completed"]);
  });

  it("is refused with a sentence when it is no span", async ({ expect }) => {
    const { value } = await inFlow(async () => [
      await told(waits.submit(0).result({ timeout: "soon" })),
      await told(waits.submit(0).wait({ timeout: -1 })),
      await told(wait([waits.submit(0)], { timeout: "soon" })),
    ]);
    expect(value).toEqual([
      expect.stringContaining('result() option "timeout" is "soon"'),
      expect.stringContaining('wait() option "timeout" is -1'),
      expect.stringContaining('wait() option "timeout" is "soon"'),
    ]);
  });

  it("is not the only end of the waiting: a signal is one, too", async ({ expect }) => {
    const { value, left } = await inFlow(async () => {
      const stop = new AbortController();
      const [one, two] = [waits.submit(10), waits.submit(10)];
      const { signal } = stop;
      const waiting = [one.result({ signal }), wait([one, two], { signal }), all([one], { signal, timeout: "1m" })];
      stop.abort(new Error("enough"));
      return await Promise.all(waiting.map(told));
    });
    expect(value).toEqual(["Error: enough", "Error: enough", "Error: enough"]);
    expect(left).toBe(2);
  });
});

describe("the timeout of the futures of map", () => {
  it.for<["results" | "wait", timeout: string, expected: unknown]>([
    ["results", "4s", late("Waiting for 1 of 3 task runs", "4 s")],
    ["wait", "4s", late("Waiting for 1 of 3 task runs", "4 s")],
    ["results", "1m", [1, 2, 5]],
  ])("is that of %s() for all of them: %s", async ([how, timeout, expected], { expect }) => {
    const { value } = await inFlow(async () => await told(waits.map([1, 2, 5])[how]({ timeout })));
    expect(value).toEqual(expected);
  });
});

describe("wait", () => {
  it("answers which task runs have ended by then, however they ended, and which have not", async ({ expect }) => {
    const { value, elapsedMs, left } = await inFlow(async () => {
      const [slow, fast, failing] = [waits.submit(10), waits.submit(1), waits.submit(3)];
      const { done, notDone } = await wait([slow, fast, failing, fast], { timeout: "5s" });
      return [done.map(({ name }) => name), notDone.map(({ name }) => name)];
    });
    expect(value).toEqual([["waits-1", "waits-2"], ["waits-0"]]);
    expect([elapsedMs, left]).toEqual([5_000, 1]);
  });

  it("waits for all of them without a timeout", async ({ expect }) => {
    const { value, elapsedMs } = await inFlow(async () => await wait(new Set([waits.submit(10), waits.submit(3)])));
    expect([value.done.length, value.notDone.length, elapsedMs]).toEqual([2, 0, 10_000]);
  });
});

describe("all", () => {
  const word = task({ name: "word" }, async () => "x");

  it("answers the results of futures that were submitted one by one, in their order", async ({ expect }) => {
    const { value } = await inFlow(async () => [await all([waits.submit(2), word.submit()]), await all([])]);
    expect(value).toEqual([[2, "x"], []]);
  });

  it("throws the first one's failure when all have ended", async ({ expect }) => {
    const { value, elapsedMs } = await inFlow(async () => await told(all([waits.submit(10), waits.submit(3)])));
    expect([value, elapsedMs]).toEqual(["Error: three", 10_000]);
  });

  it("throws when its timeout has passed first", async ({ expect }) => {
    const { value } = await inFlow(
      async () => await told(all([waits.submit(10), waits.submit(1)], { timeout: "2500ms" })),
    );
    expect(value).toBe(late("Waiting for 1 of 2 task runs", "2.5 s"));
  });
});

describe("asCompleted", () => {
  it("gives what ends in time, then throws", async ({ expect }) => {
    const { value, elapsedMs, left } = await inFlow(async () => {
      const seen: unknown[] = [];
      try {
        for await (const { name } of asCompleted(waits.map([10, 3, 1]), { timeout: "5s" })) seen.push(name);
      } catch (error) {
        seen.push(String(error));
      }
      return seen;
    });
    expect(value).toEqual(["waits-2", "waits-1", late("Waiting for 1 of 3 task runs", "5 s")]);
    expect([elapsedMs, left]).toEqual([5_000, 1]);
  });

  it("leaves no timer behind when its loop is left", async ({ expect }) => {
    const { left } = await inFlow(async () => {
      for await (const _ of asCompleted([waits.submit(1), waits.submit(2)], { timeout: "1m" })) break;
    });
    expect(left).toBe(1);
  });
});

describe("a background run among futures", () => {
  beforeEach(() => void vi.stubGlobal("WebSocket", undefined));
  afterEach(() => void vi.unstubAllGlobals());

  /** A run that has not ended, and whether those that look at it still do. */
  function waiting(): { readonly run: DelayedRun<number>; readonly looks: (AbortSignal | undefined)[] } {
    const looks: (AbortSignal | undefined)[] = [];
    const call = async (_: unknown, __: unknown, { signal }: { signal?: AbortSignal }): Promise<unknown> => {
      looks.push(signal);
      return { state: null };
    };
    const client = { ...createClient({ url: "http://plane.test" }), call } as unknown as ApiClient;
    const run = { id: "019ab5c2-0000-7000-8000-000000000001", name: "later-0", state: null } as unknown as TaskRun;
    return { run: new DelayedRun<number>(definitionOfTask(waits), client, run), looks };
  }

  it.for<[what: string, act: (run: DelayedRun<number>) => Promise<unknown>, expected: unknown]>([
    ["wait", async (run) => (await wait([run], { timeout: 20 })).notDone.map(({ name }) => name), ["later-0"]],
    ["all", async (run) => await all([run], { timeout: 20 }), late("Waiting for a task run", "20 ms")],
    [
      "asCompleted",
      async (run) => await asCompleted([run], { timeout: 20 }).next(),
      late("Waiting for a task run", "20 ms"),
    ],
  ])("is not looked for any more when %s has waited long enough", async ([, act, expected], { expect }) => {
    const { run, looks } = waiting();
    expect(await told(act(run))).toEqual(expected);
    await until("a look at the run", () => looks.length > 0);
    expect(looks.map((signal) => signal?.aborted)).toEqual([true]);
  });
});
