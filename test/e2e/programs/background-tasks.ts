/** Background tasks: a worker serves this file, others import it and ask for runs. */
import { setTimeout as sleep } from "node:timers/promises";
import { artifacts, logger, task } from "../../../sdk/index.ts";

export const add = task({ name: "background-add" }, async (a: number, b: { readonly n: bigint }) => {
  logger().info(`adding in ${process.pid}`);
  return { sum: BigInt(a) + b.n };
});

export const flaky = task({ name: "background-flaky", retries: 1 }, async (_: string, { runCount }) => {
  if (runCount === 1) throw new Error("once");
  return runCount;
});

export const broken = task({ name: "background-broken" }, async () => {
  throw new RangeError("out of range");
});

export const inner = task({ name: "background-inner" }, async () => "done");

export const leaves = task({ name: "background-leaves", tags: ["own"] }, async (key: string) => {
  const progress = await artifacts.progress({ key, progress: 1 });
  await progress.update(100);
  return inner();
});

export const slow = task({ name: "background-slow" }, async (_: string, { signal }) => {
  await sleep(60_000, undefined, { signal });
});

/** Answers when it ran, by the machine's steady clock. */
export const scarce = task({ name: "background-scarce", tags: ["scarce-behind"] }, async (_: number) => {
  const from = Number(process.hrtime.bigint());
  await sleep(100);
  return { from, to: Number(process.hrtime.bigint()) };
});
