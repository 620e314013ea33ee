/**
 * A flow that leaves a line each few milliseconds for as long as it executes, so that a test sees who executed when, also
 * of a process that was killed. A line is `beat <flow run id> <process id> <time>`; the last one of a flow that came to
 * its end is `end …`.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { flow, flowContext, task } from "sluice";

interface Beating {
  /** The file that the lines are written to. */
  readonly trace: string;
  readonly forMs: number;
}

const BEAT_MS = 15;

const step = task({ name: "step" }, async (forMs: number) => {
  await sleep(forMs);
});

export const beats = flow({ name: "beats" }, async ({ trace, forMs }: Beating) => {
  const run = flowContext().flowRunId;
  const leave = (what: string): void => appendFileSync(trace, `${what} ${run} ${process.pid} ${Date.now()}\n`);
  leave("beat");
  const timer = setInterval(() => leave("beat"), BEAT_MS);
  await step(forMs / 2);
  await step(forMs / 2);
  clearInterval(timer);
  leave("end");
});
