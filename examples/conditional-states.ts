/**
 * States in place of exceptions: `returnState` answers how a task ended, and the flow takes another way.
 *
 * `node examples/conditional-states.ts backup`
 */
import { flow, logger, task } from "sluice";

const fromPrimary = task({ name: "from-primary" }, async (isUp: boolean) => {
  if (!isUp) throw new Error("the primary is down");
  return "primary";
});
const fromBackup = task({ name: "from-backup" }, async () => "backup");
const alarm = task({ name: "alarm" }, async (why: string) => `told somebody: ${why}`);

export const failover = flow(
  { name: "failover" },
  async ({ primaryIsUp = true }: { readonly primaryIsUp?: boolean }) => {
    const future = fromPrimary.submit(primaryIsUp);
    await future.wait();
    const state = future.state();
    if (state?.type === "COMPLETED") return { source: await future.result(), alarmed: null };
    logger().warn(`from-primary is ${state?.name}; the backup it is`);
    const [source, told] = await Promise.all([fromBackup(), alarm.returnState(state?.message ?? "no reason")]);
    return { source, alarmed: told?.name ?? null };
  },
);

if (import.meta.main) console.log(await failover({ primaryIsUp: process.argv[2] !== "backup" }));
