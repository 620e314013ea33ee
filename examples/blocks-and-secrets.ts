/**
 * Configuration with secrets that lives in the control plane: blocks of the package, a block of one's own, a variable. What
 * is secret stays out of the log, even where the program itself writes it.
 *
 * `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/blocks-and-secrets.ts https://hooks.slack.com/services/…`
 */
import { flow, logger, variables } from "sluice";
import { defineBlock, secret, slackWebhook } from "sluice/blocks";
import { z } from "zod";

const warehouse = defineBlock({
  slug: "example-warehouse",
  schema: z.object({ host: z.string(), user: z.string(), password: z.string() }),
  secrets: ["password"],
  open: ({ host, user, password }) => ({
    query: async (sql: string) => {
      logger().info(`As ${user}:${password} at ${host}: ${sql}`);
      return [{ rows: 3 }];
    },
  }),
});

/** What a person does once, here or in the UI. */
export async function prepare(slackUrl: string): Promise<void> {
  await warehouse.save("main", { host: "db.example", user: "etl", password: "correct-horse" }, { overwrite: true });
  await slackWebhook.save("ops", { url: slackUrl }, { overwrite: true });
  await secret.save("api-token", { value: "tok-123456" }, { overwrite: true });
  await variables.set("table", "orders", { overwrite: true });
}

export const report = flow({ name: "report-to-slack" }, async () => {
  const [db, ops, token] = await Promise.all([
    warehouse.load("main"),
    slackWebhook.load("ops"),
    secret.load("api-token"),
  ]);
  const table = await variables.get("table", "nothing");
  const [row] = await db.query(`select count(*) from ${table}`);
  logger().info(`The token is ${token.get()}.`);
  await ops.notify(`${row?.rows} rows in ${table}`, "Nightly report");
  return row?.rows ?? 0;
});

if (import.meta.main) {
  await prepare(process.argv[2] ?? "http://127.0.0.1:8000/hook");
  console.log(await report());
}
