/** What becomes of a Job, told from what the cluster says of it and of its pods. Pure: nothing is asked, nothing waits. */
import type { Condition, ContainerStatus, JobObject, PodObject } from "./kubernetes-objects.ts";

/** What the cluster says. */
export interface Seen {
  /** Null before it was seen. */
  readonly job: JobObject | null;
  /** Somebody deleted it. */
  readonly isGone: boolean;
  readonly pods: readonly PodObject[];
}

/** Of the Job, for sentences. */
export interface JobNames {
  readonly job: string;
  readonly container: string;
  readonly image: string;
}

export type Verdict =
  /** It waits to begin. `trouble` is what keeps it from that, other than time; null while all goes as it should. */
  | { readonly kind: "pending"; readonly trouble: string | null; readonly isHopeless: boolean }
  | { readonly kind: "running"; readonly pod: string }
  | { readonly kind: "ended"; readonly code: number | null; readonly reason: string | null };

/** The kubelet does not try these again with another result. */
const HOPELESS = new Set(["InvalidImageName", "ErrImageNeverPull"]);
const IMAGE = new Set([...HOPELESS, "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"]);
const CONFIGURATION = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);
/** The container was never the user's program. */
const NOT_STARTED = new Set(["ContainerCannotRun", "StartError"]);

export function verdictOf({ job, isGone, pods }: Seen, names: JobNames): Verdict {
  const condition = (type: string): Condition | undefined =>
    job?.status?.conditions?.find((one) => one.type === type && one.status === "True");
  const last = newest(pods);
  if (condition("Complete")) return { kind: "ended", code: 0, reason: null };
  const failed = condition("Failed");
  if (failed) return failedJob(failed, last, names);
  if (isGone) {
    const how = last === null ? null : endOfPod(last, names);
    // What it had come to before it was deleted counts: a finished Job may be deleted by its time to live.
    if (how !== null && (how.code === 0 || how.reason !== null)) return how;
    return {
      kind: "ended",
      code: null,
      reason: `The Job ${names.job} of the run was deleted in the cluster, and not by its worker. Run it again if that was a mistake.`,
    };
  }
  if (last === null)
    return { kind: "pending", trouble: `No pod was made for the Job ${names.job}.`, isHopeless: false };
  const status = statusOf(last, names);
  if (status?.state?.running || status?.state?.terminated) return { kind: "running", pod: last.metadata.name };
  return pending(last, names);
}

function failedJob(failed: Condition, pod: PodObject | null, names: JobNames): Verdict {
  if (failed.reason === "DeadlineExceeded") {
    return ended("The run's Job took longer than its manifest allows (activeDeadlineSeconds).");
  }
  const how = pod === null ? null : endOfPod(pod, names);
  if (how !== null && (how.code !== 0 || how.reason !== null)) return how;
  return ended(`The run's Job ${names.job} failed${because(failed)}.`);
}

/** Null for a pod that has not ended. */
export function endOfPod(pod: PodObject, names: JobNames): (Verdict & { kind: "ended" }) | null {
  const { status } = pod;
  if (status?.reason === "Evicted") {
    return ended(
      `The run's pod was evicted from its node${said(status.message)} The job variables memory_request and memory_limit tell the cluster what it needs.`,
    );
  }
  const terminated = statusOf(pod, names)?.state?.terminated;
  if (terminated?.reason === "OOMKilled") {
    return ended(
      "The run's container is gone: it ran out of memory (OOMKilled); the job variable memory_limit gives it more.",
      terminated.exitCode,
    );
  }
  if (terminated && NOT_STARTED.has(terminated.reason ?? "")) {
    return ended(
      `The run's container could not be started${said(terminated.message)} Look at the job variable "command" and at the image ${names.image}.`,
      terminated.exitCode,
    );
  }
  const taken = status?.conditions?.find(({ type, status: is }) => type === "DisruptionTarget" && is === "True");
  if (taken && terminated?.exitCode !== 0) {
    return ended(
      `The run's pod was taken from its node${because(taken)}. A retry of the run starts it on another one.`,
      terminated?.exitCode ?? null,
    );
  }
  const before = status?.initContainerStatuses?.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  if (before && !terminated) {
    return ended(`The init container "${before.name}" ended with code ${before.state?.terminated?.exitCode}.`);
  }
  if (terminated) return { kind: "ended", code: terminated.exitCode, reason: null };
  if (status?.phase === "Failed") return ended(`The run's pod failed${because(status)}.`);
  return null;
}

function pending(pod: PodObject, names: JobNames): Verdict {
  const waiting = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    .map(({ state }) => state?.waiting)
    .find((one) => IMAGE.has(one?.reason ?? "") || CONFIGURATION.has(one?.reason ?? ""));
  const reason = waiting?.reason ?? "";
  if (IMAGE.has(reason)) {
    const trouble = `The image ${names.image} could not be pulled (${reason})${said(waiting?.message)} Look at its name and tag, and at the job variables image_pull_secrets and image_pull_policy.`;
    return { kind: "pending", trouble, isHopeless: HOPELESS.has(reason) };
  }
  if (waiting) {
    const trouble = `The run's container could not be made (${reason})${said(waiting.message)} Look at the Secrets, ConfigMaps and volumes that the job's manifest names.`;
    return { kind: "pending", trouble, isHopeless: false };
  }
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled) {
    const trouble = `No node of the cluster takes the run's pod${because(unscheduled)}. Ask for less by cpu_request and memory_request, or add nodes; pod_watch_timeout_seconds is how long is waited.`;
    return { kind: "pending", trouble, isHopeless: false };
  }
  return { kind: "pending", trouble: null, isHopeless: false };
}

function statusOf(pod: PodObject, names: JobNames): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === names.container);
}

/** A Job with a backoffLimit makes pod after pod. */
export function newest(pods: readonly PodObject[]): PodObject | null {
  const at = (pod: PodObject): string => pod.metadata.creationTimestamp ?? "";
  return pods.reduce<PodObject | null>((last, pod) => (last === null || at(pod) >= at(last) ? pod : last), null);
}

function ended(reason: string, code: number | null = null): Verdict & { kind: "ended" } {
  return { kind: "ended", code, reason };
}

function because({ reason, message }: { readonly reason?: string; readonly message?: string }): string {
  const text = [reason, message?.replace(/\.$/, "")].filter((part) => part !== undefined && part !== "").join(": ");
  return text === "" ? "" : ` (${text})`;
}

function said(message: string | undefined): string {
  const text = message?.trim().replace(/\.$/, "");
  return text ? `: ${text}.` : ".";
}
