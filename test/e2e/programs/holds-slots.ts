/**
 * Takes a slot of each limit named in argv again and again, and tells standard output of it: `+` and `-` with the time, so that
 * a test can judge who held what when. Ends after a number of turns.
 */
import { concurrency, type SlotsLostError } from "../../../sdk/index.ts";

const [names = "", turns = "1", holdMs = "20", leaseMs = "2000"] = process.argv.slice(2);

const now = (): number => performance.timeOrigin + performance.now();
const tell = (sign: string, at = now()): void => {
  process.stdout.write(`${sign} ${at}\n`);
};

for (let turn = 0; turn < Number(turns); turn++) {
  await concurrency(names.split(","), { leaseMs: Number(leaseMs), strict: true }, async ({ signal }) => {
    tell("+");
    // On a busy machine a process may not get to renew: from then on it holds nothing.
    signal.addEventListener("abort", () => tell("-", (signal.reason as SlotsLostError).heldUntil));
    await new Promise((resolve) => setTimeout(resolve, Number(holdMs)));
    tell("-");
  });
}
