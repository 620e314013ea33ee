/** What a job of type "docker" is, read from the configuration that the pool's template gives, and as Docker wants it. */
import type { ContainerCreateOptions } from "dockerode";
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { CannotStartError } from "../cannot-start.ts";
import { directoryIn, EXECUTE, imageIsMissing, isLoopback, wordsOf } from "../container/container-program.ts";
import { environmentOf } from "../process-job.ts";
import { type RunAssignment, toEnvironment, toPrefectEnvironment } from "../run-assignment.ts";
import { text, texts } from "../template/fields.ts";
import type { JobConfiguration } from "../template/job-configuration.ts";

export type PullPolicy = "Always" | "IfNotPresent" | "IfPossible" | "Never";

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

export interface DockerJob {
  readonly image: string;
  /** Inside the container; null for the image's own. */
  readonly workingDirectory: string | null;
  /** Null for the program of the image's own Sluice that runs flows of TypeScript. */
  readonly command: readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly name: string | null;
  readonly pullPolicy: PullPolicy;
  readonly credentials: RegistryCredentials | null;
  /** Removes the container when it has ended. */
  readonly autoRemove: boolean;
  readonly streamOutput: boolean;
  readonly networks: readonly string[];
  readonly networkMode: string | null;
  readonly volumes: readonly string[];
  readonly memoryBytes: number | null;
  readonly memorySwapBytes: number | null;
  /** May be a fraction, of a billionth at the finest. */
  readonly cpus: number | null;
  readonly privileged: boolean;
}

const POLICIES: readonly PullPolicy[] = ["Always", "IfNotPresent", "IfPossible", "Never"];
/** The worker's machine, as a container knows it. */
const HOST = "host.docker.internal";
const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Throws {@link CannotStartError} for a configuration that is not one of a container. */
export function dockerJob(configuration: JobConfiguration, ticket: RunTicket): DockerJob {
  const image = text(configuration, "image");
  if (image === null) return imageIsMissing();
  const command = text(configuration, "command");
  const policy =
    text(configuration, "image_pull_policy") ?? (/:latest$|^[^:@]*$/.test(image) ? "Always" : "IfNotPresent");
  const pullPolicy = POLICIES.find((known) => known.toLowerCase() === policy.toLowerCase());
  if (pullPolicy === undefined) {
    throw new CannotStartError(
      `The job variable "image_pull_policy" is "${policy}". Give one of ${POLICIES.join(", ")}.`,
    );
  }
  return {
    image,
    workingDirectory: directoryIn(ticket),
    command: command === null ? null : wordsOf(command),
    env: environmentOf(configuration["env"]),
    labels: environmentOf(configuration["labels"]),
    name: text(configuration, "name"),
    pullPolicy,
    credentials: credentialsOf(configuration["registry_credentials"]),
    autoRemove: configuration["auto_remove"] === true,
    streamOutput: configuration["stream_output"] !== false,
    networks: texts(configuration, "networks"),
    networkMode: text(configuration, "network_mode"),
    volumes: texts(configuration, "volumes"),
    memoryBytes: bytes(configuration, "mem_limit"),
    memorySwapBytes: bytes(configuration, "memswap_limit"),
    cpus: cpusOf(configuration["cpus"]),
    privileged: configuration["privileged"] === true,
  };
}

/** The body of Docker's "create a container". */
export function containerOptions(
  job: DockerJob,
  ticket: RunTicket,
  assignment: RunAssignment,
  env: Readonly<Record<string, string>>,
): ContainerCreateOptions {
  const apiUrl = fromContainer(assignment.apiUrl, job.networkMode);
  const told = { ...assignment, apiUrl };
  const variables = { ...job.env, ...env, ...toPrefectEnvironment(told), ...toEnvironment(told) };
  const set = Object.entries(variables).filter(([, value]) => value !== undefined);
  return {
    name: containerName(job.name ?? ticket.name, ticket.generation),
    Image: job.image,
    Cmd: [...(job.command ?? EXECUTE)],
    Env: set.map(([name, value]) => `${name}=${value}`),
    ...(job.workingDirectory === null ? {} : { WorkingDir: job.workingDirectory }),
    Labels: {
      ...job.labels,
      "sluice.flow-run-id": ticket.flow_run_id,
      "sluice.flow-run-name": ticket.name,
      ...(ticket.deployment_id === null ? {} : { "sluice.deployment-id": ticket.deployment_id }),
    },
    HostConfig: {
      Binds: [...job.volumes],
      Privileged: job.privileged,
      ...(apiUrl === assignment.apiUrl ? {} : { ExtraHosts: [`${HOST}:host-gateway`] }),
      ...(job.networkMode === null ? {} : { NetworkMode: job.networkMode }),
      ...(job.memoryBytes === null ? {} : { Memory: job.memoryBytes }),
      ...(job.memorySwapBytes === null ? {} : { MemorySwap: job.memorySwapBytes }),
      ...(job.cpus === null ? {} : { NanoCpus: Math.round(job.cpus * 1e9) }),
    },
  };
}

/** A server on the worker's own machine has another name inside a container, unless it shares the machine's network. */
function fromContainer(apiUrl: string, networkMode: string | null): string {
  const url = new URL(apiUrl);
  if (networkMode === "host" || !isLoopback(apiUrl)) return apiUrl;
  url.hostname = HOST;
  return url.href.replace(/\/$/, "");
}

/** Docker's rule for names; the claim's number keeps a second attempt from meeting the first one's container. */
function containerName(name: string, generation: number): string {
  const allowed = name.replace(/[^a-zA-Z0-9_.-]+/g, "-").replace(/^[^a-zA-Z0-9]+/, "");
  return `${allowed || "run"}-${generation}-${crypto.randomUUID().slice(0, 8)}`;
}

function credentialsOf(block: unknown): RegistryCredentials | null {
  if (typeof block !== "object" || block === null) return null;
  const data: JobConfiguration = { ...block };
  const username = text(data, "username");
  const password = text(data, "password");
  const serveraddress = text(data, "registry_url");
  if (username === null || password === null || serveraddress === null) {
    throw new CannotStartError('The block of "registry_credentials" needs username, password and registry_url.');
  }
  return { username, password, serveraddress };
}

/** Docker's spelling of sizes: 512m, 2g, or bytes. */
function bytes(configuration: JobConfiguration, name: string): number | null {
  const given = configuration[name];
  if (given === undefined || given === null || given === "") return null;
  if (typeof given === "number" && Number.isInteger(given)) return given;
  const [, digits, unit = "b"] = /^(-?\d+)([bkmg])?b?$/i.exec(String(given)) ?? [];
  if (digits === undefined) {
    throw new CannotStartError(
      `The job variable "${name}" is ${JSON.stringify(given)}. Give a size such as 512m or 2g.`,
    );
  }
  return Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
}

/** Less than a hundredth of a CPU is refused by Docker, more than the machine has as well, which only Docker knows. */
function cpusOf(given: unknown): number | null {
  if (given === undefined || given === null || given === "") return null;
  const cpus = typeof given === "number" || typeof given === "string" ? Number(given) : Number.NaN;
  if (Number.isFinite(cpus) && cpus >= 0.01) return cpus;
  throw new CannotStartError(
    `The job variable "cpus" is ${JSON.stringify(given)}. Give a number of CPUs such as 0.5 or 2; 0.01 is the least.`,
  );
}
