/**
 * Hello, world.
 *
 * Without a server: `node examples/hello.ts Ada`
 * With one:         `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/hello.ts Ada`
 */
import { flow, logger, task } from "sluice";

const greet = task({ name: "greet" }, async (name: string) => `Hello, ${name}!`);

export const hello = flow({ name: "hello" }, async ({ name = "world" }: { name?: string }) => {
  const greeting = await greet(name);
  logger().info(greeting);
  return greeting;
});

// True when Node was started with this file, false when a worker imports it.
if (import.meta.main) console.log(await hello({ name: process.argv[2] ?? "world" }));
