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

interface Stubborn extends Pick<Beating, "trace"> {
  readonly how: "deaf" | "busy";
}

/** Its first attempt listens to nobody for twenty seconds: it does not look at its signal, or even keeps its thread busy. */
export const stubborn = flow({ name: "stubborn" }, async ({ trace, how }: Stubborn, { runCount, flowRunId }) => {
  const leave = (): void => appendFileSync(trace, `beat ${flowRunId} ${process.pid} ${Date.now()}\n`);
  leave();
  if (runCount > 1) return;
  await step(1);
  const endsAt = Date.now() + 20_000;
  for (let next = 0; Date.now() < endsAt; next = Date.now() + BEAT_MS) {
    leave();
    if (how === "deaf") await sleep(BEAT_MS);
    else while (Date.now() < next);
  }
});
