/** What `flow()` and `task()` infer, and what does not compile: checked by tsc, not run beyond their declaration. */

import { type } from "arktype";
import * as v from "valibot";
import { describe, it } from "vitest";
import { z } from "zod";
import {
  all,
  allowFailure,
  asCompleted,
  Completed,
  concurrency,
  Failed,
  type Flow,
  type FlowAncestry,
  type FlowContext,
  flow,
  type GeneratorCall,
  type OrFuture,
  pauseFlowRun,
  type ReceivedInput,
  type RunDeployment,
  type RunState,
  receiveInput,
  type SlotsInUse,
  type State,
  type StateType,
  type Task,
  type TaskContext,
  type TaskFuture,
  task,
  transaction,
  type Waited,
  wait,
} from "../../sdk/index.ts";
import { offlineWorld } from "../../sdk/testing/index.ts";
import { same } from "./same-type.ts";

describe("types", () => {
  it("of a task are those of its function, without the context", ({ expect }) => {
    const written = task(async (source: URL, retries: number) => [source, retries] as const);
    same<typeof written, Task<[source: URL, retries: number], Promise<readonly [URL, number]>>>();

    const open = task({ name: "open" }, async (source: URL, { signal }) => [source, signal] as const);
    same<typeof open, Task<[URL], Promise<readonly [URL, AbortSignal]>>>();

    const alone = task(async ({ runCount }) => runCount);
    same<typeof alone, Task<[], Promise<number>>>();

    const named = task({ retries: 2 }, async (n: number, context: TaskContext) => n + context.runCount);
    same<typeof named, Task<[n: number], Promise<number>>>();

    const none = task(async () => "x");
    same<typeof none, Task<[], Promise<string>>>();

    const unknownInput = task(async (value: unknown) => value);
    same<typeof unknownInput, Task<[value: unknown], Promise<unknown>>>();

    const synchronous = task((n: number) => n);
    same<ReturnType<typeof synchronous>, Promise<number>>();
    expect(none.name).toBe("task");
  });

  it("of what is returned are those of what the call answers", ({ expect }) => {
    const length = task(async (text: string) => text.length);
    const early = task(async (n: number) =>
      n < 0 ? Failed("Below zero.") : n === 0 ? Completed({ data: "none" }) : n,
    );
    same<ReturnType<typeof early>, Promise<number | string>>();
    const each = flow({ name: "all" }, async () => length.map(["a"]));
    same<ReturnType<typeof each>, Promise<number[]>>();
    const pair = flow({ name: "pair" }, async () => [length.submit("a"), early.submit(1)] as const);
    same<ReturnType<typeof pair>, Promise<[number, string | number]>>();
    same<ReturnType<typeof pair.returnState>, Promise<RunState<[number, string | number]>>>();
    const pages = task(async function* (count: number) {
      yield `page ${count}`;
    });
    same<ReturnType<typeof pages>, GeneratorCall<string>>();
    same<ReturnType<typeof pages.submit>, TaskFuture<string[]>>();
    expect(pages.name).toBe("task");
  });

  it("of options, states and waiting follow, too", ({ expect }) => {
    const length = task(async (text: string) => text.length);
    same<ReturnType<typeof length.withOptions>, typeof length>();
    same<Parameters<typeof length.returnState>, Parameters<typeof length>>();
    const use = async (): Promise<void> => {
      const allowed: number | Error = await allowFailure(length.submit("a")).result();
      for await (const future of asCompleted(length.map(["a"]))) same<typeof future, TaskFuture<number>>();
      const { approved } = await pauseFlowRun({ input: z.object({ approved: z.boolean() }) });
      same<typeof approved, boolean>();
      same<Awaited<ReturnType<typeof pauseFlowRun<void>>>, void>();
      const word = await receiveInput("word", { schema: z.string() });
      same<typeof word, string>();
      const question = await receiveInput("word", { schema: z.string(), withSender: true });
      same<typeof question, ReceivedInput<string>>();
      const done: string = await transaction(async () => `${allowed}`);
      await flow({ name: "f", parameters: z.object({ n: z.number() }) }, async () => done).serve({
        name: "d",
        // @ts-expect-error: n is a number
        parameters: { n: "1" },
      });
    };
    expect(use).toBeTypeOf("function");
  });

  it("of what a run knows of itself are those of its parts", ({ expect }) => {
    const main = flow({ name: "main" }, async (_given: object, context) => {
      same<typeof context.tags, readonly string[]>();
      same<typeof context.scheduledStartTime, Date>();
      same<typeof context.apiUrl, string | null>();
      same<Awaited<ReturnType<typeof context.ancestry>>, FlowAncestry>();
      same<Awaited<ReturnType<typeof context.deployment>>, RunDeployment | null>();
      // @ts-expect-error: nobody changes a run by what it knows of itself.
      context.flowVersion = "2";
    });
    const load = task(async (n: number, { parameters, tags, flow: of }) => [n, parameters, tags, of?.jobVariables]);
    same<Parameters<typeof load>[0], OrFuture<number>>();
    expect([main.name, load.name]).toEqual(["main", "task"]);
  });

  it("of calls, submits and maps follow from the task", ({ expect }) => {
    const length = task(async (text: string, factor: number) => text.length * factor);
    const total = task(async (lengths: readonly number[]) => lengths.length);
    const allowedNumber = (given: number | Error): number => (given instanceof Error ? 0 : given);
    const use = async (): Promise<void> => {
      const called: number = await length("a", 1);
      const future = length.submit("a", called);
      same<typeof future, TaskFuture<number>>();
      const mapped = length.map(["a", "b"], 2);
      same<Awaited<ReturnType<typeof mapped.results>>, number[]>();
      // Futures stand in for values, alone and in lists.
      await length("a", future);
      await total(mapped);
      await total([future, 1]);
      // So do states with their results.
      const state = await length.returnState("a", 1);
      await length("a", state);
      await total([state, future, 1]);
      await length.withOptions({ waitFor: [state, future] })("a", allowedNumber(await allowFailure(state).result()));
      // @ts-expect-error: the state of a run that answered a number is not one of a text.
      await length(state, 1);
      // @ts-expect-error: the first argument is text.
      await length(1, 1);
      // @ts-expect-error: an argument is missing.
      await length("a");
      // @ts-expect-error: the context is not an argument of the caller.
      await length("a", 1, {});
      // @ts-expect-error: items are texts.
      length.map([1], 2);
      // @ts-expect-error: the second argument is the same for all, and missing.
      length.map(["a"]);
      // @ts-expect-error: a future of text is not one of a number.
      await length("a", task(async () => "x").submit());
    };
    expect(use).toBeTypeOf("function");
  });

  it("of several futures are those of each of them", ({ expect }) => {
    const length = task(async (text: string) => text.length);
    const word = task(async () => "x");
    const use = async (): Promise<void> => {
      const pair = await all([length.submit("a"), word.submit()], { timeout: "1m" });
      same<typeof pair, [number, string]>();
      const list: readonly TaskFuture<number>[] = length.map(["a"]);
      const listed = await all(list);
      same<typeof listed, number[]>();
      const mapped = await all(length.map(["a"]));
      same<typeof mapped, number[]>();
      const some = await all(new Set([length.submit("a")]));
      same<typeof some, number[]>();
      const waited = await wait([length.submit("a"), word.submit()], { timeout: 5 });
      same<typeof waited, Waited<TaskFuture<number> | TaskFuture<string>>>();
      for await (const future of asCompleted([length.submit("a"), word.submit()], { timeout: "1m" })) {
        same<typeof future, TaskFuture<number> | TaskFuture<string>>();
      }
      // @ts-expect-error: a list of what is no future.
      await all([1]);
      // @ts-expect-error: the span of a timeout is "30s", or milliseconds.
      await length.submit("a").result({ timeoutSeconds: 1 });
    };
    expect(use).toBeTypeOf("function");
  });

  it("of a flow's parameters come from its function or its schema", ({ expect }) => {
    const written = flow({ name: "written" }, async ({ source }: { source: string }) => source.length);
    same<typeof written, Flow<{ source: string }, Promise<number>>>();

    const schema = z.object({ since: z.coerce.date(), limit: z.int().default(3) });
    const parsed = flow({ name: "parsed", parameters: schema }, async ({ since, limit }, { signal }) => {
      same<typeof since, Date>();
      same<typeof limit, number>();
      same<typeof signal, AbortSignal>();
      return [since, limit] as const;
    });
    const use = async (): Promise<void> => {
      const [since]: readonly [Date, number] = await parsed({ since: "2026-11-21" });
      same<typeof since, Date>();
      await flow({ name: "none" }, async () => 1)();
      await flow({ name: "optional" }, async ({ limit }: { limit?: number }) => limit)();
      // @ts-expect-error: a parameter is missing.
      await written({});
      // @ts-expect-error: parameters are missing.
      await written();
      // @ts-expect-error: limit is a number.
      await parsed({ since: "2026-11-21", limit: "3" });
    };
    expect(use).toBeTypeOf("function");
  });

  it("of options refuse what is not one", ({ expect }) => {
    const declare = (): void => {
      // @ts-expect-error: no such option.
      task({ naem: "x" }, async () => 1);
      // @ts-expect-error: retries is a number.
      task({ retries: "3" }, async (n: number) => n);
      // @ts-expect-error: not a function.
      task({ name: "x" });
      // @ts-expect-error: no such option.
      flow({ name: "x", retry: 1 }, async () => 1);
      // @ts-expect-error: parameters is a schema.
      flow({ name: "x", parameters: { a: 1 } }, async () => 1);
      // @ts-expect-error: a flow takes one object.
      flow({ name: "x" }, async (name: string) => name);
    };
    expect(declare).toBeTypeOf("function");
  });

  it("of parameters follow from the schema of any library that speaks Standard Schema", async ({ expect }) => {
    using world = offlineWorld();
    const byValibot = flow(
      {
        name: "valibot",
        parameters: v.object({
          limit: v.optional(v.pipe(v.number(), v.maxValue(10)), 3),
          day: v.pipe(v.string(), v.isoDate()),
        }),
      },
      async (parameters) => {
        same<typeof parameters, { limit: number; day: string }>();
        return parameters.limit;
      },
    );
    const byArktype = flow(
      { name: "arktype", parameters: type({ name: "string > 0", "limit?": "number <= 10" }) },
      async (parameters) => {
        same<typeof parameters, { name: string; limit?: number }>();
        return parameters.name;
      },
    );
    const use = async (): Promise<void> => {
      const limit: number = await byValibot({ day: "2026-11-21" });
      const name: string = await byArktype({ name: `${limit}` });
      // @ts-expect-error: the day is missing.
      await byValibot({ limit: 3 });
      // @ts-expect-error: limit is a number.
      await byArktype({ name, limit: "3" });
    };
    expect(use).toBeTypeOf("function");
    expect(await world.execute(() => byValibot({ day: "2026-11-21" }))).toBe(3);
    await expect(byValibot({ day: "2026-11-21", limit: 11 })).rejects.toThrow('"limit" is 11: Invalid value');
    await expect(byArktype({ name: "" })).rejects.toThrow('"name" is ""');
  });

  it("of states, futures and hooks are those of the task", ({ expect }) => {
    const length = task(
      {
        name: "length",
        onCompletion: (context, state) => {
          same<typeof context, TaskContext>();
          same<typeof state, State>();
        },
        retryCondition: (error, { runCount }) => {
          same<typeof error, unknown>();
          same<typeof runCount, number>();
          return runCount < 2;
        },
      },
      async (text: string) => text.length,
    );
    const made = flow(
      {
        name: "hooked",
        onFailure: [
          (context, state) => {
            same<typeof context, FlowContext>();
            same<typeof state.type, StateType>();
          },
        ],
      },
      async () => 1,
    );
    const use = async (): Promise<void> => {
      const state = await length.returnState("a");
      same<typeof state, RunState<number>>();
      const future = length.submit("a");
      same<Awaited<ReturnType<typeof future.wait>>, State | null>();
      same<Awaited<ReturnType<typeof future.result>>, number>();
      const futures = length.map(["a", "b"]);
      same<Awaited<ReturnType<typeof futures.wait>>, (State | null)[]>();
      same<(typeof futures)[number], TaskFuture<number>>();
      same<ReturnType<typeof made>, Promise<number>>();
      same<ReturnType<typeof made.withOptions>, typeof made>();
    };
    expect(use).toBeTypeOf("function");
  });

  it("of slots are those of the code that holds them, or what gives them back", ({ expect }) => {
    const use = async (): Promise<void> => {
      same<Awaited<ReturnType<typeof counted>>, 1 | 2>();
      await using slots = await concurrency(["database", "printer"], { slots: 2, timeout: "30s", lease: 9_000 });
      same<typeof slots, SlotsInUse>();
      // @ts-expect-error: spans are "30s", or milliseconds
      await concurrency("database", { timeoutMs: 30_000 });
    };
    const counted = () => concurrency("database", {}, ({ signal }) => (signal.aborted ? 1 : 2));
    expect(use).toBeTypeOf("function");
  });
});
