/** Jobs as tasks of Amazon ECS, by the package @aws-sdk/client-ecs, which is loaded when it is used. */
import type { Infrastructure, PreparedJob } from "../infrastructure.ts";
import { loadOptional } from "../optional-package.ts";
import { AwsAccounts } from "./aws-clients.ts";
import { Definitions } from "./definitions.ts";
import { ecsJob } from "./ecs-job.ts";
import { Networks } from "./networks.ts";
import { hasOwnCommand, TaskRun } from "./task-run.ts";

/** Throws `SluiceError` with the command that installs the package when it is not there. */
export async function ecsInfrastructure(): Promise<Infrastructure> {
  const ecs = await loadOptional("@aws-sdk/client-ecs", "ecs", () => import("@aws-sdk/client-ecs"));
  const accounts = new AwsAccounts(ecs);
  const definitions = new Definitions(ecs);
  const networks = new Networks();
  return {
    type: "ecs",
    start: () => undefined,
    stop: () => undefined,
    async prepare(ticket, configuration, { onLine }): Promise<PreparedJob> {
      const job = ecsJob(configuration, ticket);
      const account = await accounts.accountOf(job.credentials);
      const hasCommand = job.command !== null || hasOwnCommand(job);
      return {
        hasCommand,
        isSilent: true,
        start: (assignment, more) =>
          new TaskRun({
            ecs,
            account,
            definitions,
            networks,
            job,
            ticket,
            assignment,
            env: more.env,
            onTrouble: (message) => onLine(message, "stderr"),
            onLine:
              job.streamOutput || (hasCommand && ticket.entrypoint === null)
                ? (line, stream) => {
                    if (job.streamOutput) onLine(line, stream);
                    more.onLine(line, stream);
                  }
                : null,
          }),
        // Tasks that have ended are forgotten by ECS itself.
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}
