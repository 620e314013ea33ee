/**
 * A program that is ended in the middle of its flow, right after it has logged a lot: by SIGTERM, or (with the word "exits") by
 * itself, once all is told.
 */
import { flow, flushLogs, logger } from "../../../sdk/index.ts";

const exits = process.argv[2] === "exits";

const talks = flow({ name: "talks" }, async () => {
  for (let line = 0; line < 3_000; line++) logger().info(`line ${line}`);
  if (exits) {
    await flushLogs();
    process.exit(3);
  }
  process.kill(process.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});

await talks();
