/** One run's Job: created, followed to its end, and deleted when the run is to end. */
import { pause } from "../../client/jitter.ts";
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { CannotStartError } from "../cannot-start.ts";
import { remoteEnvironment } from "../container/container-program.ts";
import { lastErrorIn } from "../exit-reason.ts";
import type { JobEnd, RunLine, RunningJob } from "../infrastructure.ts";
import type { RunAssignment } from "../run-assignment.ts";
import { object, text } from "../template/fields.ts";
import { type ClusterApi, ClusterError } from "./cluster-api.ts";
import { type ClusterJob, createJob, deleteJob, deleteSecret, podsOf } from "./cluster-job.ts";
import { containerName, jobManifest, LABEL } from "./job-manifest.ts";
import { containersOf, type KubernetesJob } from "./kubernetes-job.ts";
import { jobName } from "./kubernetes-names.ts";
import type { JobObject, PodObject } from "./kubernetes-objects.ts";
import { watchObjects } from "./object-watch.ts";
import { followLog } from "./pod-log.ts";
import { endOfPod, type JobNames, newest, type Seen, type Verdict, verdictOf } from "./pod-verdict.ts";

export interface JobRunOptions {
  readonly api: ClusterApi;
  readonly job: KubernetesJob;
  readonly ticket: RunTicket;
  readonly assignment: RunAssignment;
  /** Added to the environment of the job. */
  readonly env: Readonly<Record<string, string>>;
  /** Null where nobody wants the output. */
  readonly onLine: RunLine | null;
  /** Something that people should know, but that does not end the run. */
  readonly onTrouble: (message: string) => void;
}

const KEPT_LINES = 40;
/** Output is waited for this long after the container ended. */
const OUTPUT_WITHIN_MS = 3_000;
const SETTLE_MS = 1_000;
/** Pods that were told to end are waited for so much longer than their grace. */
const GONE_WITHIN_MS = 5_000;

export class JobRun implements RunningJob {
  readonly ended: Promise<JobEnd>;
  readonly pid = null;
  readonly isWarm = false;
  readonly #options: JobRunOptions;
  readonly #name: string;
  readonly #names: JobNames;
  /** Aborts when the worker has seen enough. */
  readonly #over = new AbortController();
  readonly #verdict = Promise.withResolvers<Verdict & { kind: "ended" }>();
  readonly #errors: string[] = [];
  #seen: Seen = { job: null, isGone: false, pods: [] };
  #made: ClusterJob | null = null;
  #troubleTimer: NodeJS.Timeout | null = null;
  #logged: string | null = null;
  #output: Promise<void> = Promise.resolve();
  #settleTimer: NodeJS.Timeout | null = null;
  #isSettled = false;
  /** Why the worker ended it by itself. */
  #givenUp: string | null = null;
  #isAway = false;
  /** Seconds that it is given to end, once it was asked to; null before. */
  #graceS: number | null = null;
  #goneTimer: NodeJS.Timeout | null = null;

  constructor(options: JobRunOptions) {
    const { job, ticket } = options;
    this.#options = options;
    this.#name = jobName(job.name ?? ticket.name, ticket.generation);
    const container = containerName(job.manifest);
    const image = text(object(containersOf(job.manifest)[0]) ?? {}, "image") ?? "";
    this.#names = { job: this.#name, container, image };
    // Whoever waits for `ended` is told.
    this.#verdict.promise.catch(() => undefined);
    this.ended = this.#run();
  }

  terminate(graceMs: number): void {
    this.#end(Math.ceil(graceMs / 1_000));
  }

  kill(): void {
    this.#end(0);
  }

  async #run(): Promise<JobEnd> {
    const { api, job, ticket, assignment, env } = this.#options;
    const reports = !(job.hasCommand && ticket.entrypoint === null);
    const environment = remoteEnvironment({ ...job.env, ...env }, assignment, { reports });
    const manifest = jobManifest(job, { name: this.#name, ticket, environment });
    const { apiKey } = assignment;
    const made = { api, namespace: job.namespace, name: this.#name, hasSecret: apiKey !== null };
    await refusalTold(() => createJob(made, { job, manifest, ticket, apiKey }));
    this.#made = made;
    const limit = this.#limitTime();
    try {
      // It may have been asked to end while it was made.
      if (this.#graceS !== null) this.#deleteNow(made, this.#graceS);
      this.#follow(made);
      const { code, reason } = await this.#verdict.promise;
      await Promise.race([this.#output, pause(OUTPUT_WITHIN_MS)]);
      return { code, signal: null, reported: false, lastError: lastErrorIn(this.#errors), reason };
    } finally {
      this.#made = null;
      this.#over.abort();
      if (limit !== null) clearTimeout(limit);
      if (this.#troubleTimer !== null) clearTimeout(this.#troubleTimer);
      if (this.#settleTimer !== null) clearTimeout(this.#settleTimer);
      if (this.#goneTimer !== null) clearTimeout(this.#goneTimer);
      await deleteSecret(made).catch((error: Error) => this.#options.onTrouble(error.message));
    }
  }

  #limitTime(): NodeJS.Timeout | null {
    const { jobWatchTimeoutMs: limitMs } = this.#options.job;
    if (limitMs === null) return null;
    const reason = `The run's Job did not end within ${limitMs / 1_000} s, the job variable job_watch_timeout_seconds, and was deleted.`;
    return setTimeout(() => this.#giveUp(reason), limitMs);
  }

  #follow({ api, namespace, name }: ClusterJob): void {
    const onAway = ({ message }: ClusterError): void => {
      if (!this.#isAway) this.#options.onTrouble(`${message} The run goes on; its end is told when the API is back.`);
      this.#isAway = true;
    };
    const watches = [
      watchObjects<JobObject>({
        api,
        path: `/apis/batch/v1/namespaces/${namespace}/jobs`,
        selector: { fieldSelector: `metadata.name=${name}` },
        signal: this.#over.signal,
        onAway,
        onObjects: ([job], deleted) => this.#see({ job: job ?? deleted ?? this.#seen.job, isGone: job === undefined }),
      }),
      watchObjects<PodObject>({
        api,
        path: podsOf(namespace),
        selector: { labelSelector: `${LABEL.job}=${name}` },
        signal: this.#over.signal,
        onAway,
        onObjects: (pods, deleted) => this.#seePods(pods, deleted),
      }),
    ];
    for (const watch of watches) {
      watch.catch(async (error: Error) => {
        if (this.#over.signal.aborted) return;
        // Nobody would see its end: it must not go on unseen.
        await this.#deleteQuietly(0);
        this.#verdict.reject(new Error(`The worker may not follow the run's Job: ${error.message}`));
      });
    }
  }

  #seePods(pods: readonly PodObject[], deleted: PodObject | null): void {
    if (this.#graceS !== null && pods.length === 0) this.#finishDeleted();
    // The last thing that is known of a pod tells why its Job is gone.
    const last = deleted === null ? this.#seen.pods : [deleted];
    this.#see({ pods: pods.length === 0 ? last : pods });
  }

  #see(news: Partial<Seen>): void {
    this.#isAway = false;
    this.#seen = { ...this.#seen, ...news };
    // What a Job comes to that is being deleted by its worker is told by its pods.
    if (this.#graceS !== null) return;
    const verdict = verdictOf(this.#seen, this.#names);
    if (verdict.kind === "ended") this.#settle(verdict);
    else if (verdict.kind === "running") {
      this.#trouble(null);
      this.#listen(verdict.pod);
    } else if (verdict.isHopeless && verdict.trouble !== null) this.#giveUp(verdict.trouble);
    else this.#trouble(verdict.trouble);
  }

  /** The Job is watched beside its pods: how the last pod ended may be told a moment later, and is worth waiting for. */
  #settle(verdict: Verdict & { kind: "ended" }): void {
    const pod = newest(this.#seen.pods)?.metadata.name;
    const isKnown = pod !== undefined && this.#hasEnded(pod);
    if (!isKnown && !this.#isSettled) {
      this.#settleTimer ??= setTimeout(() => {
        this.#isSettled = true;
        this.#see({});
      }, SETTLE_MS);
      return;
    }
    // A container that was quick has ended before anybody saw it run.
    if (isKnown) this.#listen(pod);
    this.#finish(verdict);
  }

  /** What keeps the pod from starting may pass; so long is waited from when it was first seen. */
  #trouble(trouble: string | null): void {
    if (trouble === null) {
      if (this.#troubleTimer !== null) clearTimeout(this.#troubleTimer);
      this.#troubleTimer = null;
    } else {
      this.#troubleTimer ??= setTimeout(() => {
        const verdict = verdictOf(this.#seen, this.#names);
        this.#giveUp(verdict.kind === "pending" && verdict.trouble !== null ? verdict.trouble : trouble);
      }, this.#options.job.podWatchTimeoutMs);
    }
  }

  #listen(pod: string): void {
    const { api, job, onLine, onTrouble } = this.#options;
    if (onLine === null || this.#logged === pod) return;
    this.#logged = pod;
    const before = this.#output;
    const follow = async (): Promise<void> => {
      await before;
      await followLog({
        api,
        namespace: job.namespace,
        pod,
        container: this.#names.container,
        signal: this.#over.signal,
        isOver: () => this.#hasEnded(pod),
        onLine: (line) => {
          if (this.#errors.push(line) > KEPT_LINES) this.#errors.shift();
          onLine(line, "stdout");
        },
      });
    };
    this.#output = follow().catch((error: Error) =>
      onTrouble(`The output of the run cannot be read: ${error.message}`),
    );
  }

  #hasEnded(name: string): boolean {
    const pod = this.#seen.pods.find(({ metadata }) => metadata.name === name);
    return pod === undefined || endOfPod(pod, this.#names) !== null;
  }

  #finishDeleted(): void {
    const reason = this.#givenUp;
    this.#finish({ kind: "ended", code: reason === null ? 143 : null, reason });
  }

  #finish(verdict: Verdict & { kind: "ended" }): void {
    this.#verdict.resolve(verdict);
  }

  /** The worker ends what would not end, or not begin, by itself. */
  #giveUp(reason: string): void {
    if (this.#graceS !== null) return;
    this.#graceS = 0;
    this.#givenUp = reason;
    void this.#deleteQuietly(0).then(() => this.#finish({ kind: "ended", code: null, reason }));
  }

  #end(graceS: number): void {
    if (this.#graceS !== null && this.#graceS <= graceS) return;
    this.#graceS = graceS;
    if (this.#made !== null) this.#deleteNow(this.#made, graceS);
  }

  #deleteNow(made: ClusterJob, graceS: number): void {
    if (this.#goneTimer !== null) clearTimeout(this.#goneTimer);
    const deadline = (): void => {
      if (graceS > 0) {
        this.#end(0);
        return;
      }
      const reason = `The pods of the run's Job ${made.name} did not end in time. Look for them with: kubectl get pods -n ${made.namespace} -l ${LABEL.job}=${made.name}`;
      this.#finish({ kind: "ended", code: null, reason });
    };
    this.#goneTimer = setTimeout(deadline, graceS * 1_000 + GONE_WITHIN_MS);
    void this.#deleteQuietly(graceS);
  }

  async #deleteQuietly(graceS: number): Promise<void> {
    if (this.#made === null) return;
    try {
      if ((await deleteJob(this.#made, graceS)) === 0 && this.#graceS !== null) this.#finishDeleted();
    } catch (error) {
      const { namespace, name } = this.#made;
      this.#options.onTrouble(
        `The Job ${name} could not be deleted: ${(error as Error).message} Do it by hand: kubectl delete job -n ${namespace} ${name}`,
      );
    }
  }
}

/** What the cluster refuses for good is wrong with the job; anything else may go better elsewhere or later. */
async function refusalTold(create: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const { status, message } = error;
    if (status === 400 || status === 422 || status === 404) {
      throw new CannotStartError(`The cluster refuses the run's Job: ${message}`);
    }
    if (status === 401 || status === 403) {
      throw new Error(
        `The cluster does not let the worker start the run: ${message}. docs/workers.md has the role that it needs.`,
      );
    }
    throw error;
  }
}
