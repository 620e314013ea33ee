/**
 * What a flow does when parts of it fail: states in place of exceptions, conditional logic, failures in concurrent work,
 * hooks, and work that is undone.
 *
 * `node examples/states-and-hooks.ts`
 */
import { allowFailure, asCompleted, flow, logger, task, transaction } from "sluice";

const check = task({ name: "check" }, async (host: string) => {
  if (host.startsWith("bad")) throw new Error(`${host} does not answer`);
  return `${host} is fine`;
});

const summary = task({ name: "summary" }, async (results: readonly (string | Error)[]) => ({
  good: results.filter((one) => typeof one === "string").length,
  bad: results.filter((one) => one instanceof Error).map((one) => one.message),
}));

const reserve = task(
  { name: "reserve", onRollback: (tx) => logger().info(`gave back ${tx.get("seat")}`) },
  async (seat: string) => seat,
);

export const statesAndHooks = flow(
  {
    name: "states-and-hooks",
    onCompletion: ({ flowRunName }, { name }) => logger().info(`${flowRunName} ended as ${name}`),
  },
  async ({ hosts = ["a.example", "bad.example"] }: { readonly hosts?: readonly string[] }) => {
    const state = await check.returnState(hosts[0] ?? "");
    const isFine = state?.type === "COMPLETED";

    const futures = check.map(hosts);
    for await (const future of asCompleted(futures)) logger().info(`${future.name}: ${future.state()?.name}`);
    const report = await summary([...futures].map((future) => allowFailure(future)));

    const booked = await transaction(async (tx) => {
      tx.set("seat", "12A");
      await reserve("12A");
      if (report.bad.length > 0) throw new Error("not everybody can come");
      return true;
    }).catch(() => false);
    return { isFine, ...report, booked };
  },
);

if (import.meta.main) console.log(await statesAndHooks({}));
