/** What became of a task, told from what ECS says of it. Pure. */

/** Of the service's "Task", what is read here. */
export interface TaskSeen {
  readonly lastStatus?: string | undefined;
  readonly stopCode?: string | undefined;
  readonly stoppedReason?: string | undefined;
  readonly containers?:
    | readonly {
        readonly name?: string | undefined;
        readonly lastStatus?: string | undefined;
        readonly exitCode?: number | undefined;
        readonly reason?: string | undefined;
      }[]
    | undefined;
}

export type TaskVerdict =
  | { readonly kind: "pending"; readonly status: string }
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly code: number | null; readonly reason: string | null };

const PENDING = new Set(["PROVISIONING", "PENDING", "ACTIVATING"]);
/** What is said of these does not depend on the run's program. The first that fits is told. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /OutOfMemory|killed due to memory usage/i,
    "The run's container is gone: it ran out of memory; the job variable memory gives it more.",
  ],
  [
    /CannotPull|pull (?:image|command failed)|ImageManifest/i,
    "The run's image could not be pulled. Look at its name and tag, at the rights of execution_role_arn, and at whether the subnets of network_configuration reach the registry.",
  ],
  [
    /ResourceInitialization/i,
    "The run's task could not be set up. Look at the rights of execution_role_arn, and at whether the subnets of network_configuration reach CloudWatch, Secrets Manager and the registry.",
  ],
  [
    /CannotStartContainer|CannotCreateContainer|ContainerRuntimeError/i,
    'The run\'s container could not be started. Look at the job variable "command" and at the image.',
  ],
  [
    /capacity is unavailable|RESOURCE:|no container instances/i,
    "AWS has no room for the run's task. Try again later, or give other subnets, another capacity provider, or less cpu and memory.",
  ],
  [
    /spot|reclaimed/i,
    "AWS took the capacity of the run's task back (Spot). A retry of the run gets another; launch_type FARGATE is not taken back.",
  ],
];

/** `container` is the name of the one that is the run. */
export function taskVerdict(task: TaskSeen, container: string): TaskVerdict {
  const status = task.lastStatus ?? "PROVISIONING";
  const run = task.containers?.find(({ name }) => name === container);
  const hasStopped = run?.lastStatus === "STOPPED" && run.exitCode !== undefined;
  if (PENDING.has(status) && !hasStopped) return { kind: "pending", status };
  // What follows, such as giving back its network, takes time and changes nothing.
  if (status !== "STOPPED" && !hasStopped) return { kind: "running" };
  const code = run?.exitCode ?? null;
  const said = [run?.reason, task.stoppedReason].filter((text) => text !== undefined && text !== "");
  if (code === 0) return { kind: "ended", code, reason: null };
  const whole = [task.stopCode ?? "", ...said].join(" ");
  const known = REASONS.find(([pattern]) => pattern.test(whole))?.[1];
  if (known !== undefined) return { kind: "ended", code, reason: `${known}${saidBy(said)}` };
  if (code !== null && task.stopCode !== "UserInitiated" && task.stopCode !== "TerminationNotice")
    return { kind: "ended", code, reason: null };
  const by = task.stopCode === "UserInitiated" ? "was stopped in AWS, and not by its worker." : "stopped.";
  return { kind: "ended", code, reason: `The run's task ${by}${saidBy(said)}` };
}

/** Why "RunTask" made no task. */
export function placementFailure(reason: string, detail: string | undefined): string {
  const known = REASONS.find(([pattern]) => pattern.test(reason))?.[1];
  return `${known ?? "ECS made no task for the run."}${saidBy([reason, ...(detail === undefined ? [] : [detail])])}`;
}

function saidBy(said: readonly (string | undefined)[]): string {
  const parts = [...new Set(said.filter((text) => text !== undefined))];
  return parts.length === 0 ? "" : ` AWS says: ${parts.join("; ")}`;
}
