/** Serves flows that wait for somebody, and says `ready` when it does. */
import { z } from "zod";
import { flow, logger, pauseFlowRun, receiveInput, serve, sleep, suspendFlowRun, task } from "../../../sdk/index.ts";

const Decision = z.object({ approved: z.boolean(), by: z.string().default("nobody") });

const prepare = task({ name: "prepare" }, async () => {
  logger().info("prepared");
});

const pauses = flow({ name: "pauses" }, async () => {
  const { approved, by } = await pauseFlowRun({
    input: Decision,
    initialData: { by: "Ada" },
    description: "May it go on?",
  });
  if (!approved) throw new Error(`${by} said no`);
});

const tooLate = flow({ name: "too-late" }, async () => {
  await pauseFlowRun({ timeout: "1s" });
});

const suspends = flow({ name: "suspends" }, async () => {
  await prepare();
  await sleep("300ms");
  const { by } = await suspendFlowRun({ input: Decision });
  logger().info(`approved by ${by}`);
  await pauseFlowRun({ timeout: "20s" });
});

const collects = flow({ name: "collects" }, async () => {
  const first = await receiveInput("word", { schema: z.string() });
  const second = await receiveInput("word", { schema: z.string() });
  logger().info(`${first} ${second}`);
});

await serve(
  [pauses, tooLate, suspends, collects].map((one) => one.toDeployment({ name: "now" })),
  { onReady: () => console.log("ready") },
);
