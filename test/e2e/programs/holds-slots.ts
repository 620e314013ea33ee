/**
 * Takes a slot of each limit named in argv again and again, of all of them at the same time and independently, and tells
 * standard output of it: `+` and `-` with the limit and the time, so that a test can judge who held what when. Ends after a
 * number of turns with each; with 0 turns it is killed in its first one, before it can give anything back.
 *
 * Imports the one module that it is about, since dozens of these start together.
 */
import { concurrency, type SlotsLostError } from "../../../sdk/flow/limits.ts";

const [names = "", turns = "1", holdMs = "20", leaseMs = "2000"] = process.argv.slice(2);

/** Milliseconds of the machine's one steady clock: wall clocks are set while a test runs, and then processes disagree. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

async function contend(name: string): Promise<void> {
  const tell = (sign: string, at = now()): void => {
    process.stdout.write(`${sign} ${name} ${at}\n`);
  };
  for (let turn = 0; turn < Math.max(1, Number(turns)); turn++) {
    await concurrency(name, { lease: Number(leaseMs), strict: true }, async ({ signal }) => {
      const from = now();
      tell("+", from);
      // On a busy machine a process may not get to renew: from then on it holds nothing.
      signal.addEventListener("abort", () => {
        const { heldUntil } = signal.reason as SlotsLostError;
        tell("-", now() - Math.max(0, Date.now() - heldUntil));
      });
      await new Promise((resolve) => setTimeout(resolve, Number(holdMs)));
      // One that was kept waiting for the processor for longer may have held nothing at the end, and cannot know yet.
      tell("-", Math.min(now(), from + (Number(leaseMs) * 2) / 3));
      // By its own hand: a test that is kept waiting for the processor would be late, and not know the moment.
      if (Number(turns) === 0) process.kill(process.pid, "SIGKILL");
    });
  }
}

await Promise.all(names.split(",").map(contend));
