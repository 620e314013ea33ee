/** Jobs as Jobs of a Kubernetes cluster, by the package @kubernetes/client-node, which is loaded when it is used. */
import type { Infrastructure, PreparedJob } from "../infrastructure.ts";
import { loadOptional } from "../optional-package.ts";
import { Clusters } from "./cluster.ts";
import { JobRun } from "./job-run.ts";
import { kubernetesJob } from "./kubernetes-job.ts";

const PACKAGE = "@kubernetes/client-node";

/** Throws `SluiceError` with the command that installs the package when it is not there. */
export async function kubernetesInfrastructure(): Promise<Infrastructure> {
  const clusters = new Clusters(await loadOptional(PACKAGE, "kubernetes", () => import("@kubernetes/client-node")));
  return {
    type: "kubernetes",
    start: () => undefined,
    stop: () => undefined,
    async prepare(ticket, configuration, { onLine }): Promise<PreparedJob> {
      const job = kubernetesJob(configuration, ticket);
      const api = clusters.clusterOf(job.clusterConfig);
      const isWork = job.hasCommand && ticket.entrypoint === null;
      return {
        hasCommand: job.hasCommand,
        isSilent: true,
        start: (assignment, more) =>
          new JobRun({
            api,
            job,
            ticket,
            assignment,
            env: more.env,
            onTrouble: (message) => onLine(message, "stderr"),
            onLine:
              job.streamOutput || isWork
                ? (line, stream) => {
                    if (job.streamOutput) onLine(line, stream);
                    more.onLine(line, stream);
                  }
                : null,
          }),
        // Jobs that have ended are cleared away by the cluster, see finished_job_ttl.
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}
