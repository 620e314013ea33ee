/** What the parts around tasks and flows infer: background runs, assets, blocks, deployments. Checked by tsc. */
import { describe, it } from "vitest";
import { z } from "zod";
import { defineBlock } from "../../sdk/blocks/index.ts";
import {
  type AnyFlow,
  type AnyTask,
  all,
  asset,
  type DelayedRun,
  flow,
  gitSource,
  isFlow,
  isTask,
  materialize,
  type PlannedDeployment,
  type SourcedFlow,
  type State,
  serve,
  type Task,
  task,
} from "../../sdk/index.ts";
import { same } from "./same-type.ts";

describe("types", () => {
  it("of background runs are those of the task", ({ expect }) => {
    const length = task(async (text: string) => text.length);
    const pages = task(async function* (count: number) {
      yield `page ${count}`;
    });
    const use = async (): Promise<void> => {
      const run = await length.delay("a");
      same<typeof run, DelayedRun<number>>();
      same<Awaited<ReturnType<typeof run.result>>, number>();
      same<Awaited<ReturnType<typeof run.wait>>, State>();
      same<Awaited<ReturnType<typeof pages.delay>>, DelayedRun<string[]>>();
      // A run is a future: another task takes it, and it is waited for together with others.
      await pages.delay(run);
      const both = await all([run, pages.submit(1)], { timeout: "1h" });
      same<typeof both, [number, string[]]>();
      // @ts-expect-error: the argument is text.
      await length.delay(1);
      // @ts-expect-error: a run of a number is not one of a text.
      await length.delay(run);
    };
    expect(use).toBeTypeOf("function");
  });

  it("of materialize are those of task", ({ expect }) => {
    const report = asset("s3://reports/daily");
    const written = materialize(report, async (day: Date) => day.getTime());
    same<typeof written, Task<[day: Date], Promise<number>>>();
    const open = materialize(["s3://a/b", report], { retries: 1, by: "dbt" }, async (day: Date, { signal }) => {
      same<typeof signal, AbortSignal>();
      return day.toISOString();
    });
    same<typeof open, Task<[Date], Promise<string>>>();
    const refused = (): void => {
      // @ts-expect-error: an asset has to be named.
      materialize(async (day: Date) => day);
      // @ts-expect-error: the tool is text.
      materialize(report, { by: 1 }, async () => 1);
    };
    expect(refused).toBeTypeOf("function");
  });

  it("of a block are those of its schema, or of what opens it", ({ expect }) => {
    const schema = z.object({ url: z.url(), retries: z.int().default(3), login: z.object({ password: z.string() }) });
    const plain = defineBlock({ slug: "shop", schema, secrets: ["login.password", "url"] });
    const opened = defineBlock({
      slug: "shop-client",
      schema,
      open: ({ url, retries }) => ({ get: async (path: string) => [url, path, retries] as const }),
    });
    const use = async (): Promise<void> => {
      const fields = await plain.load("main");
      same<typeof fields, { url: string; retries: number; login: { password: string } }>();
      const client = await opened.load("main");
      same<Awaited<ReturnType<typeof client.get>>, readonly [string, string, number]>();
      // What has a default may be left out.
      await plain.save("main", { url: "https://shop.test", login: { password: "p" } }, { overwrite: true });
      // @ts-expect-error: the address is text.
      await plain.save("main", { url: 1, login: { password: "p" } });
      // @ts-expect-error: the login is missing.
      await opened.save("main", { url: "https://shop.test" });
      // @ts-expect-error: no such field.
      defineBlock({ slug: "shop", schema, secrets: ["token"] });
    };
    expect(use).toBeTypeOf("function");
  });

  it("of deployments follow from the flow's parameters", ({ expect }) => {
    const parsed = flow({ name: "parsed", parameters: z.object({ day: z.iso.date(), limit: z.int() }) }, async () => 1);
    const use = async (): Promise<void> => {
      // Some may be left to whoever runs it.
      const planned = parsed.toDeployment({ name: "daily", parameters: { limit: 3 }, cron: "0 6 * * *" });
      same<typeof planned, PlannedDeployment>();
      await serve([planned]);
      // @ts-expect-error: limit is a number.
      parsed.toDeployment({ name: "daily", parameters: { limit: "3" } });
      // @ts-expect-error: it needs a name.
      parsed.toDeployment({ parameters: { limit: 3 } });
      const source = gitSource({ url: "https://git.test/flows.git" });
      const there = await flow.from({ source, entrypoint: "flows/parsed.ts:parsed" });
      same<typeof there, SourcedFlow>();
      same<typeof there.flow, AnyFlow>();
      const id = await there.deploy({ name: "daily", workPool: "pool" });
      same<typeof id, Awaited<ReturnType<typeof parsed.deploy>>>();
      // @ts-expect-error: where the code is has been said.
      await there.deploy({ name: "daily", workPool: "pool", entrypoint: "flows/other.ts:other" });
      // @ts-expect-error: the entrypoint is missing.
      await flow.from({ source });
    };
    expect(use).toBeTypeOf("function");
  });

  it("of values that may be tasks or flows are known once they have been asked for", ({ expect }) => {
    const given: unknown[] = [task({ name: "t" }, async () => 1), flow({ name: "f" }, async () => 1), () => 1];
    const names = given.map((one) => {
      if (isTask(one)) {
        same<typeof one, AnyTask>();
        return `task ${one.name}`;
      }
      if (isFlow(one)) {
        same<typeof one, AnyFlow>();
        return `flow ${one.name}`;
      }
      same<typeof one, unknown>();
      return "neither";
    });
    expect(names).toEqual(["task t", "flow f", "neither"]);
  });
});
