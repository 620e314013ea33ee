/** What is written to standard error. In a file of its own, since it loads the engine anew. */
import { it, vi } from "vitest";

it("lines on the console have secrets masked, of runs and of other code", async ({ expect }) => {
  const written: string[] = [];
  const before = console.error;
  // What echoes lines takes the console as it is when it is loaded.
  vi.resetModules();
  console.error = (line: string) => void written.push(line);
  const { configure, flow, logger } = await import("../../sdk/index.ts");
  const { rememberSecret } = await import("../../sdk/flow/secrets.ts");
  console.error = before;
  rememberSecret("correct horse");
  const restore = configure({ apiUrl: null, echoLogs: true, runLogs: "none", logLevel: "info" });
  logger().info("outside: correct horse");
  logger().debug("below the level");
  await flow({ name: "main", flowRunName: "one" }, async () => logger().warn("inside: correct horse"))();
  configure({ echoLogs: false });
  logger().info("not wanted");
  restore();
  expect(written.map((line) => line.slice("05:14:31.000 ".length))).toEqual([
    "INFO  sluice: outside: ********",
    "WARN  one: inside: ********",
  ]);
});
