/** What every runtime has to manage: tasks, futures, retries, a cache, logs. Prints what came of it as one line of JSON. */
import { flow, INPUTS, logger, sleep, task } from "sluice";

let attempts = 0;
let computed = 0;

const flaky = task({ name: "flaky", retries: 2, retryDelay: 10 }, async (text: string) => {
  attempts++;
  if (attempts < 2) throw new Error("not yet");
  return text.toUpperCase();
});

const square = task({ name: "square", cache: INPUTS }, async (n: number) => {
  computed++;
  await sleep(1);
  logger().info(`The square of ${n} is computed.`);
  return n * n;
});

const flowRunName = process.env["RUN_NAME"] ?? "offline";
const program = flow({ name: "any-runtime", flowRunName }, async ({ n }: { n: number }, { signal }) => {
  const word = await flaky("done");
  const first = await square(n);
  const again = await square(n);
  const all = await square.map([1, 2, 3]).results();
  console.log("From the console.");
  logger().info("Almost there.");
  return { word, first, again, all, attempts, computed, aborted: signal.aborted };
});

console.log(`RESULT ${JSON.stringify(await program({ n: 3 }))}`);
