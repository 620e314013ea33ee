/**
 * Flows that leave a trace of each execution in a file, so that a test sees how often they really ran.
 *
 * A trace is a line `start <flow run id> <process id>` and, if the flow came to its end, a line `end …`.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { flow, flowContext, task } from "sluice";

interface Traced {
  /** The file that the traces are written to. */
  readonly trace: string;
  readonly steps?: number;
  readonly stepMs?: number;
}

function leave(trace: string, what: string, ...more: readonly (string | number)[]): void {
  appendFileSync(trace, `${[what, flowContext().flowRunId, process.pid, ...more].join(" ")}\n`);
}

const step = task({ name: "step" }, async (index: number, stepMs: number) => {
  await sleep(stepMs);
  return index;
});

/** Some steps, one after the other. */
export const steps = flow({ name: "steps" }, async ({ trace, steps: count = 3, stepMs = 20 }: Traced) => {
  leave(trace, "start");
  for (let index = 0; index < count; index++) await step(index, stepMs);
  leave(trace, "end");
});

/** Steps until the test says that it is enough, by making a file. */
export const untilTold = flow({ name: "until-told" }, async ({ trace, until }: Traced & { readonly until: string }) => {
  leave(trace, "start");
  for (let index = 0; !existsSync(until); index++) await step(index, 100);
  leave(trace, "end");
});

/** Keeps the only thread busy and never ends by itself. */
export const busy = flow({ name: "busy" }, async ({ trace }: Traced) => {
  leave(trace, "start");
  await step(0, 0);
  for (;;) Math.random();
});

/** Starts a process of its own, tells its number, and waits for it. */
export const withProcess = flow({ name: "with-process" }, async ({ trace }: Traced) => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 600_000)"], { stdio: "inherit" });
  leave(trace, "start", child.pid ?? 0);
  await new Promise((resolve) => child.once("exit", resolve));
});

/** Ends its process in the middle. */
export const exits = flow({ name: "exits" }, async ({ trace }: Traced) => {
  leave(trace, "start");
  process.exit(0);
});

/** Throws where nobody catches it. */
export const throwsAside = flow({ name: "throws-aside" }, async ({ trace }: Traced) => {
  leave(trace, "start");
  setTimeout(() => {
    throw new RangeError("the cursor went past the end");
  }, 10);
  await sleep(60_000);
});

export const notAFlow = (): void => undefined;
