/** One run's task: started, asked about until it has ended, and stopped when the run is to end. */
import type { RunTaskCommandInput } from "@aws-sdk/client-ecs";
import { pause } from "../../client/jitter.ts";
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { CannotStartError } from "../cannot-start.ts";
import { remoteEnvironment } from "../container/container-program.ts";
import { lastErrorIn } from "../exit-reason.ts";
import type { JobEnd, RunLine, RunningJob } from "../infrastructure.ts";
import type { RunAssignment } from "../run-assignment.ts";
import { type Json, object, text } from "../template/fields.ts";
import type { AwsAccount } from "./aws-clients.ts";
import type { Definitions, UsedDefinition } from "./definitions.ts";
import type { EcsJob } from "./ecs-job.ts";
import type { Networks } from "./networks.ts";
import { runRequest } from "./run-request.ts";
import { DEFAULT_CONTAINER, runContainer } from "./task-definition.ts";
import { followOutput, logPlace } from "./task-output.ts";
import { placementFailure, type TaskSeen, type TaskVerdict, taskVerdict } from "./task-verdict.ts";

type Package = typeof import("@aws-sdk/client-ecs");
type Ended = Extract<TaskVerdict, { kind: "ended" }>;

export interface TaskRunOptions {
  readonly ecs: Package;
  readonly account: AwsAccount;
  readonly definitions: Definitions;
  readonly networks: Networks;
  readonly job: EcsJob;
  readonly ticket: RunTicket;
  readonly assignment: RunAssignment;
  /** Added to the environment of the job. */
  readonly env: Readonly<Record<string, string>>;
  /** Null where nobody wants the output. */
  readonly onLine: RunLine | null;
  /** Something that people should know, but that does not end the run. */
  readonly onTrouble: (message: string) => void;
}

interface StartedTask {
  readonly arn: string;
  readonly cluster: string | undefined;
  readonly container: string;
  /** The container as its definition has it. */
  readonly containerDefinition: Json;
}

const KEPT_LINES = 40;
const FIRST_POLL_MS = 500;
/** A task that was told to end is asked about more often. */
const ENDING_POLL_MS = 1_000;
const LONGEST_POLL_MS = 60_000;
/** ECS knows a task a moment after it was made; one that is missing so many times is gone. */
const MISSING_TIMES = 5;
/** The longest that a container may take to stop is two minutes. */
const STOPPED_WITHIN_MS = 180_000;
const KILLED_WITHIN_MS = 5_000;
const OUTPUT_WITHIN_MS = 6_000;
const REASON = "The run was ended.";

export class TaskRun implements RunningJob {
  readonly ended: Promise<JobEnd>;
  readonly pid = null;
  readonly isWarm = false;
  readonly #options: TaskRunOptions;
  /** Aborts when the worker has seen enough. */
  readonly #over = new AbortController();
  readonly #errors: string[] = [];
  #task: StartedTask | null = null;
  /** Wakes the one who waits to ask again. */
  #wake = new AbortController();
  /** When it has to be gone, by the clock of `performance.now()`, once it was told to end. */
  #goneBy: number | null = null;
  #hasEnded = false;
  #output: Promise<void> = Promise.resolve();

  constructor(options: TaskRunOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** The grace is the "stopTimeout" of the container's definition: ECS knows no other. */
  terminate(): void {
    this.#end(STOPPED_WITHIN_MS);
  }

  kill(): void {
    this.#end(KILLED_WITHIN_MS);
  }

  async #run(): Promise<JobEnd> {
    const { account, definitions, job, ticket, assignment, env } = this.#options;
    const isWork = (job.command !== null || hasOwnCommand(job)) && ticket.entrypoint === null;
    const { variables, keyNames } = remoteEnvironment({ ...job.env, ...env }, assignment, { reports: !isWork });
    const keys = Object.fromEntries(keyNames.map((name) => [name, assignment.apiKey ?? ""]));
    let used: UsedDefinition | null = null;
    try {
      used = await refusalTold(() =>
        definitions.definitionFor(account, job, `sluice_${ticket.deployment_id ?? "runs"}`),
      );
      const definition = used;
      const task = await refusalTold(() => this.#start(definition, { ...variables, ...keys }));
      this.#task = task;
      if (this.#goneBy !== null) await this.#stop(REASON);
      this.#listen(task);
      const { code, reason } = await this.#follow(task);
      this.#hasEnded = true;
      await Promise.race([this.#output, pause(OUTPUT_WITHIN_MS)]);
      return { code, signal: null, reported: false, lastError: lastErrorIn(this.#errors), reason };
    } finally {
      this.#over.abort();
      this.#task = null;
      if (used?.isOwn && job.deregisters) {
        await definitions.deregister(account, used).catch((error: Error) => this.#options.onTrouble(error.message));
      }
    }
  }

  async #start(used: UsedDefinition, environment: Readonly<Record<string, string>>): Promise<StartedTask> {
    const { ecs, account, definitions, job, ticket } = this.#options;
    const containers = containersOf(used.definition);
    const container = runContainer(job, containers) ?? DEFAULT_CONTAINER;
    const needsNetwork =
      job.network === null &&
      job.request["networkConfiguration"] === undefined &&
      text(used.definition, "networkMode") === "awsvpc";
    const network = needsNetwork ? await this.#options.networks.networkFor(account, job) : job.network;
    const request = runRequest(job, { ticket, environment, arn: used.arn, container, network });
    const answer = await account.client
      .send(new ecs.RunTaskCommand(request as unknown as RunTaskCommandInput))
      .catch((error: Error) => {
        if (/inactive/i.test(error.message)) definitions.forget(used);
        throw error;
      });
    const arn = answer.tasks?.[0]?.taskArn;
    if (arn === undefined) {
      const { reason = "no reason was given", detail } = answer.failures?.[0] ?? {};
      throw new Error(placementFailure(reason, detail));
    }
    const cluster = answer.tasks?.[0]?.clusterArn ?? job.cluster ?? undefined;
    return { arn, cluster, container, containerDefinition: containers.find(({ name }) => name === container) ?? {} };
  }

  async #follow(task: StartedTask): Promise<Ended> {
    const { job } = this.#options;
    const startBy = performance.now() + job.startTimeoutMs;
    let pollMs = Math.min(FIRST_POLL_MS, job.pollIntervalMs);
    let missing = 0;
    let isAway = false;
    for (;;) {
      await this.#pause(this.#goneBy === null ? pollMs : Math.min(pollMs, ENDING_POLL_MS));
      pollMs = Math.min(pollMs * 2, Math.max(job.pollIntervalMs, isAway ? LONGEST_POLL_MS : 0));
      if (this.#goneBy !== null && performance.now() > this.#goneBy) {
        return { kind: "ended", code: null, reason: "The run's task was told to stop, and has not yet." };
      }
      let seen: TaskSeen | null;
      try {
        seen = await this.#describe(task);
        isAway = false;
      } catch (error) {
        const said = (error as Error).message;
        if (isDenied(error)) {
          await this.#stop(REASON);
          throw new Error(`The worker may not follow the run's task: ${said}`);
        }
        if (!isAway)
          this.#options.onTrouble(`ECS did not answer: ${said} The run goes on; its end is told when it does.`);
        isAway = true;
        continue;
      }
      if (seen === null) {
        missing++;
        if (missing < MISSING_TIMES) continue;
        return { kind: "ended", code: null, reason: `ECS does not know the run's task ${task.arn} any more.` };
      }
      missing = 0;
      const verdict = taskVerdict(seen, task.container);
      if (verdict.kind === "ended") {
        return this.#goneBy === null ? verdict : { kind: "ended", code: verdict.code ?? 143, reason: null };
      }
      if (verdict.kind === "pending" && this.#goneBy === null && performance.now() > startBy) {
        await this.#stop(`It did not start within ${job.startTimeoutMs / 1_000} s.`);
        return {
          kind: "ended",
          code: null,
          reason: `The run's task did not start within ${job.startTimeoutMs / 1_000} s, the job variable task_start_timeout_seconds; it was ${verdict.status}. Look at the cluster's capacity, and at whether its subnets reach the registry.`,
        };
      }
    }
  }

  /** Null for a task that ECS does not know. */
  async #describe({ arn, cluster }: StartedTask): Promise<TaskSeen | null> {
    const { ecs, account } = this.#options;
    const command = new ecs.DescribeTasksCommand({ tasks: [arn], ...(cluster === undefined ? {} : { cluster }) });
    try {
      const { tasks = [] } = await account.client.send(command);
      return tasks[0] ?? null;
    } catch (error) {
      // Its cluster was deleted, and it with it.
      if (/ClusterNotFound|InvalidParameter/.test((error as Error).name)) return null;
      throw error;
    }
  }

  #listen(task: StartedTask): void {
    const { account, job, onLine, onTrouble } = this.#options;
    const place = logPlace(task.containerDefinition, task.arn, account.region);
    if (onLine === null || place === null) return;
    const following = followOutput({
      place,
      credentials: async () => {
        const { accessKeyId, secretAccessKey, sessionToken } = await account.client.config.credentials();
        return { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? null };
      },
      intervalMs: job.pollIntervalMs,
      signal: this.#over.signal,
      isOver: () => this.#hasEnded,
      onLine: (line) => {
        if (this.#errors.push(line) > KEPT_LINES) this.#errors.shift();
        onLine(line, "stdout");
      },
    });
    this.#output = following.catch((error: Error) =>
      onTrouble(`The output of the run cannot be read: ${error.message}`),
    );
  }

  #end(withinMs: number): void {
    const goneBy = performance.now() + withinMs;
    if (this.#goneBy !== null && this.#goneBy <= goneBy) return;
    this.#goneBy = goneBy;
    void this.#stop(REASON);
    this.#wake.abort();
  }

  async #stop(reason: string): Promise<void> {
    if (this.#task === null) return;
    const { ecs, account, onTrouble } = this.#options;
    const { arn, cluster } = this.#task;
    try {
      await account.client.send(
        new ecs.StopTaskCommand({ task: arn, reason, ...(cluster === undefined ? {} : { cluster }) }),
      );
    } catch (error) {
      onTrouble(
        `The task ${arn} could not be stopped: ${(error as Error).message} Do it by hand: aws ecs stop-task --task ${arn}`,
      );
    }
  }

  async #pause(spanMs: number): Promise<void> {
    await pause(spanMs, this.#wake.signal).catch(() => undefined);
    this.#wake = new AbortController();
  }
}

export function hasOwnCommand({ request }: EcsJob): boolean {
  const overrides = object(request["overrides"])?.["containerOverrides"];
  return Array.isArray(overrides) && overrides.some((one) => Array.isArray(object(one)?.["command"]));
}

function containersOf(definition: Json): Json[] {
  const containers = definition["containerDefinitions"];
  return (Array.isArray(containers) ? containers : []).map((one) => object(one) ?? {});
}

/** What AWS refuses for good is wrong with the job; anything else may go better elsewhere or later. */
async function refusalTold<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { name, message } = error as Error;
    if (isDenied(error)) {
      throw new Error(
        `AWS does not let the worker start the run: ${message} docs/workers.md has the policy that it needs.`,
      );
    }
    if (
      /^(?:ClientException|InvalidParameterException|ClusterNotFoundException|Platform\w+|UnsupportedFeatureException)$/.test(
        name,
      )
    ) {
      throw new CannotStartError(`ECS refuses the run's task: ${message}`);
    }
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  const { name } = error as Error;
  return /AccessDenied|UnrecognizedClient|InvalidSignature|InvalidClientTokenId|CredentialsProviderError/.test(name);
}
