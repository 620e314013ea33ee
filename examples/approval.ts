/**
 * A person decides: the flow prepares a payment, waits for an answer with a schema, and pays or does not.
 *
 * `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/approval.ts` serves it; then
 * `sluice deployment run approval/by-hand --param amount=120`, and answer in the UI, or
 * `curl -X POST $SLUICE_API_URL/flow_runs/ID/resume --json '{"run_input": {"approved": true}}'`.
 */
import { flow, pauseFlowRun, task } from "sluice";
import { z } from "zod";

const Decision = z.object({ approved: z.boolean(), reason: z.string().default("") });

const pay = task({ name: "pay", onRollback: () => undefined }, async (amount: number) => `paid ${amount}`);

export const approval = flow(
  { name: "approval", parameters: z.object({ amount: z.number().positive() }) },
  async ({ amount }, { logger }) => {
    const { approved, reason } = await pauseFlowRun({
      input: Decision,
      timeout: "1d",
      description: `May **${amount}** be paid?`,
    });
    logger.info(approved ? await pay(amount) : `not paid: ${reason}`);
  },
);

if (import.meta.main) await approval.serve({ name: "by-hand" });
