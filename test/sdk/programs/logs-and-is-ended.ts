/** A program that is ended in the middle of its flow, right after it has logged a lot. */
import { flow, logger } from "../../../sdk/index.ts";

const talks = flow({ name: "talks" }, async () => {
  for (let line = 0; line < 3_000; line++) logger().info(`line ${line}`);
  process.kill(process.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});

await talks();
