/** One run's container: created, started, listened to, waited for, and removed where that was asked for. */
import { Writable } from "node:stream";
import type Docker from "dockerode";
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { lastErrorIn } from "../exit-reason.ts";
import type { JobEnd, RunLine, RunningJob } from "../infrastructure.ts";
import { lineReader } from "../output-lines.ts";
import type { RunAssignment } from "../run-assignment.ts";
import { containerOptions, type DockerJob } from "./docker-job.ts";

const KEPT_LINES = 40;
/** Output is waited for this long after the container ended. */
const OUTPUT_WITHIN_MS = 2_000;

export class ContainerJob implements RunningJob {
  readonly ended: Promise<JobEnd>;
  readonly pid = null;
  readonly isWarm = false;
  readonly #docker: Docker;
  #container: Docker.Container | null = null;
  /** Seconds that it is given to end, once it was asked to; null before. */
  #graceS: number | null = null;

  constructor(
    docker: Docker,
    job: DockerJob,
    ticket: RunTicket,
    assignment: RunAssignment,
    env: Readonly<Record<string, string>>,
    onLine: RunLine,
  ) {
    this.#docker = docker;
    this.ended = this.#run(job, containerOptions(job, ticket, assignment, env), onLine);
  }

  terminate(graceMs: number): void {
    this.#end(Math.ceil(graceMs / 1_000));
  }

  kill(): void {
    this.#end(0);
  }

  #end(graceS: number): void {
    if (this.#graceS !== null && this.#graceS <= graceS) return;
    this.#graceS = graceS;
    if (this.#container !== null) void stop(this.#container, graceS);
  }

  async #run(job: DockerJob, options: Docker.ContainerCreateOptions, onLine: RunLine): Promise<JobEnd> {
    const container = await this.#docker.createContainer(options);
    try {
      for (const network of job.networks) {
        await this.#docker.getNetwork(network).connect({ Container: container.id });
      }
      const errors: string[] = [];
      const output = await this.#listen(container, (line, stream) => {
        if (stream === "stderr" && errors.push(line) > KEPT_LINES) errors.shift();
        onLine(line, stream);
      });
      await container.start();
      this.#container = container;
      // It may have been asked to end while it was made.
      if (this.#graceS !== null) await stop(container, this.#graceS);
      const { StatusCode: code } = (await container.wait()) as { readonly StatusCode: number };
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, OUTPUT_WITHIN_MS);
      await Promise.race([output.isRead, late.promise]);
      clearTimeout(timer);
      const { State: state } = await container.inspect();
      const reason = state.OOMKilled
        ? "The run's container is gone: it ran out of memory; the job variable mem_limit gives it more."
        : null;
      return { code, signal: null, reported: false, lastError: lastErrorIn(errors), reason };
    } finally {
      this.#container = null;
      if (job.autoRemove) await container.remove({ force: true, v: true });
    }
  }

  /** Answers a promise of the end of the output. */
  async #listen(container: Docker.Container, onLine: RunLine): Promise<{ readonly isRead: Promise<void> }> {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const [out, err] = [linesTo("stdout", onLine), linesTo("stderr", onLine)];
    this.#docker.modem.demuxStream(stream, out, err);
    const isRead = new Promise<void>((resolve) => {
      const close = (): void => {
        out.end();
        err.end();
        resolve();
      };
      stream.once("end", close);
      stream.once("close", close);
      stream.once("error", close);
    });
    return { isRead };
  }
}

/** A container that cannot be stopped in an orderly way is killed; one that is gone already is what was wanted. */
async function stop(container: Docker.Container, graceS: number): Promise<void> {
  try {
    await container.stop({ t: graceS });
  } catch (error) {
    const status = (error as { readonly statusCode?: number }).statusCode;
    if (status !== 304 && status !== 404) await container.kill().catch(() => undefined);
  }
}

function linesTo(stream: "stdout" | "stderr", onLine: RunLine): Writable {
  const reader = lineReader((line) => onLine(line, stream));
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      reader.push(chunk);
      done();
    },
    final(done) {
      reader.end();
      done();
    },
  });
}
