/**
 * Takes a slot of each limit named in argv again and again, and tells standard output of it: `+` and `-` with the time, so that
 * a test can judge who held what when. Ends after a number of turns.
 */
import { concurrency } from "../../../sdk/index.ts";

const [names = "", turns = "1", holdMs = "20", leaseMs = "2000"] = process.argv.slice(2);

const tell = (sign: string): void => {
  process.stdout.write(`${sign} ${performance.timeOrigin + performance.now()}\n`);
};

for (let turn = 0; turn < Number(turns); turn++) {
  await concurrency(names.split(","), { leaseMs: Number(leaseMs), strict: true }, async () => {
    tell("+");
    await new Promise((resolve) => setTimeout(resolve, Number(holdMs)));
    tell("-");
  });
}
