/** Serves a flow under two names until it is told to end, and says `ready` when it does. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { flow, runDeployment, serve, tags, task } from "../../../sdk/index.ts";

const double = task({ name: "double" }, async (n: number) => n * 2);

const doubles = flow(
  { name: "doubles", flowRunName: "double of {n}", parameters: z.object({ n: z.number() }) },
  async ({ n }) => double(n),
);

const slow = flow({ name: "slow" }, async (_: { tag?: string }, { signal }) => {
  await sleep(60_000, undefined, { signal });
});

const careful = flow({ name: "careful" }, async () => {
  await sleep(2_000);
});

const parent = flow({ name: "parent" }, async () => {
  const options = { parameters: { n: 21 }, tags: ["own"] };
  const run = await tags(["around"], () => runDeployment("doubles/now", options));
  if (run.state_type !== "COMPLETED") throw new Error(`The child is ${run.state_name}.`);
});

await serve(
  [
    doubles.toDeployment({ name: "now", tags: ["served"] }),
    doubles.toDeployment({ name: "often", interval: "2s", parameters: { n: 1 } }),
    slow.toDeployment({ name: "now" }),
    careful.toDeployment({ name: "now" }),
    parent.toDeployment({ name: "now" }),
  ],
  { onReady: () => console.log("ready") },
);
console.log("ended");
