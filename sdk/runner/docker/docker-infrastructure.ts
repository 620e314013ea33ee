/** Jobs as containers of a Docker daemon, by the package dockerode, which is loaded when it is used. */
import type Docker from "dockerode";
import { CannotStartError } from "../cannot-start.ts";
import type { Infrastructure, PreparedJob } from "../infrastructure.ts";
import { loadOptional } from "../optional-package.ts";
import { ContainerJob } from "./container-job.ts";
import { type DockerJob, dockerJob } from "./docker-job.ts";

/**
 * Talks to the daemon that `DOCKER_HOST` names, or to this machine's. Throws `SluiceError` with the command that installs
 * dockerode when it is not there.
 */
export async function dockerInfrastructure(): Promise<Infrastructure> {
  const docker = new (await loadOptional("dockerode", "docker", () => import("dockerode"))).default();
  return {
    type: "docker",
    start: () => undefined,
    stop: () => undefined,
    async prepare(ticket, configuration, { onLine }): Promise<PreparedJob> {
      const job = dockerJob(configuration, ticket);
      await makeImagePresent(docker, job);
      const print = job.streamOutput ? onLine : () => undefined;
      return {
        hasCommand: job.command !== null,
        isSilent: true,
        start: (assignment, more) =>
          new ContainerJob(docker, job, ticket, assignment, more.env, (line, stream) => {
            print(line, stream);
            more.onLine(line, stream);
          }),
        // A container is cleared away by itself when it has ended.
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

async function makeImagePresent(docker: Docker, job: DockerJob): Promise<void> {
  const isPresent = async (): Promise<boolean> => {
    try {
      await docker.getImage(job.image).inspect();
      return true;
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return false;
      throw error;
    }
  };
  if (job.pullPolicy === "Never") {
    if (await isPresent()) return;
    throw new CannotStartError(`The image ${job.image} is not there, and the pull policy is Never.`);
  }
  if (job.pullPolicy === "IfNotPresent" && (await isPresent())) return;
  try {
    await pull(docker, job);
  } catch (error) {
    if (job.pullPolicy === "IfPossible" && (await isPresent())) return;
    throw error;
  }
}

async function pull(docker: Docker, { image, credentials }: DockerJob): Promise<void> {
  const progress = await docker.pull(image, credentials === null ? {} : { authconfig: credentials });
  await new Promise<void>((resolve, reject) => {
    // The daemon answers 200 before it knows whether the image can be had.
    docker.modem.followProgress(progress, (error: Error | null, said: readonly { readonly error?: string }[] = []) => {
      const failed = said.find((line) => line.error !== undefined)?.error;
      if (error !== null) reject(error);
      else if (failed !== undefined) reject(new Error(`The image ${image} could not be pulled: ${failed}`));
      else resolve();
    });
  });
}
