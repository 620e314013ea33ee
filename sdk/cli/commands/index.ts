/**
 * Every command. Its module is loaded only when it runs or its help is asked, so what stands here is all that the
 * list of commands needs.
 */
import type { Command } from "../command.ts";

export interface CommandEntry {
  readonly noun: string;
  readonly verb: string | null;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    noun: "server",
    verb: "start",
    summary: "Run the control plane on this machine.",
    load: async () => (await import("./server/start.ts")).serverStart,
  },
  {
    noun: "worker",
    verb: "start",
    summary: "Take runs from a work pool and run them on this machine.",
    load: async () => (await import("./worker/start.ts")).workerStart,
  },
  {
    noun: "work-pool",
    verb: "create",
    summary: "Create a work pool.",
    load: async () => (await import("./work-pool/create.ts")).workPoolCreate,
  },
  {
    noun: "work-pool",
    verb: "ls",
    summary: "List work pools.",
    load: async () => (await import("./work-pool/ls.ts")).workPoolLs,
  },
  {
    noun: "deployment",
    verb: "run",
    summary: "Run a deployment now.",
    load: async () => (await import("./deployment/run.ts")).deploymentRun,
  },
  {
    noun: "deployment",
    verb: "ls",
    summary: "List deployments.",
    load: async () => (await import("./deployment/ls.ts")).deploymentLs,
  },
  {
    noun: "deployment",
    verb: "inspect",
    summary: "Show one deployment with its schedules.",
    load: async () => (await import("./deployment/inspect.ts")).deploymentInspect,
  },
  {
    noun: "deployment",
    verb: "versions",
    summary: "List what a deployment was, the newest version first.",
    load: async () => (await import("./deployment/versions.ts")).deploymentVersions,
  },
  {
    noun: "deployment",
    verb: "rollback",
    summary: "Make a deployment what it was in an earlier version.",
    load: async () => (await import("./deployment/rollback.ts")).deploymentRollback,
  },
  {
    noun: "deployment",
    verb: "flow-control",
    summary: "Show or set the limit by key of a deployment, with the runs that hold slots or wait.",
    load: async () => (await import("./deployment/flow-control.ts")).deploymentFlowControl,
  },
  {
    noun: "deployment",
    verb: "delete",
    summary: "Delete a deployment and its schedules; its runs stay.",
    load: async () => (await import("./deployment/delete.ts")).deploymentDelete,
  },
  {
    noun: "dead-letter",
    verb: "ls",
    summary: "List messages that were given up, the latest first.",
    load: async () => (await import("./dead-letter/ls.ts")).deadLetterLs,
  },
  {
    noun: "dead-letter",
    verb: "replay",
    summary: "Send a message that was given up to its queue again.",
    load: async () => (await import("./dead-letter/replay.ts")).deadLetterReplay,
  },
  {
    noun: "schedule",
    verb: "ls",
    summary: "List the schedules of a deployment.",
    load: async () => (await import("./schedule/ls.ts")).scheduleLs,
  },
  {
    noun: "schedule",
    verb: "create",
    summary: "Add a schedule to a deployment.",
    load: async () => (await import("./schedule/create.ts")).scheduleCreate,
  },
  {
    noun: "schedule",
    verb: "pause",
    summary: "Let a schedule rest; the runs it had ahead are removed.",
    load: async () => (await import("./schedule/pause.ts")).schedulePause,
  },
  {
    noun: "schedule",
    verb: "resume",
    summary: "Let a schedule go on.",
    load: async () => (await import("./schedule/resume.ts")).scheduleResume,
  },
  {
    noun: "schedule",
    verb: "policy",
    summary: "Show or change how a schedule deals with overlap, missed times, jitter, start and end.",
    load: async () => (await import("./schedule/policy.ts")).schedulePolicy,
  },
  {
    noun: "schedule",
    verb: "delete",
    summary: "Delete a schedule with the runs that it had ahead.",
    load: async () => (await import("./schedule/delete.ts")).scheduleDelete,
  },
  {
    noun: "backfill",
    verb: "start",
    summary: "Run the times of a schedule in a range afterwards, a few at a time.",
    load: async () => (await import("./backfill/start.ts")).backfillStart,
  },
  {
    noun: "backfill",
    verb: "ls",
    summary: "List the backfills of a deployment, the newest first.",
    load: async () => (await import("./backfill/ls.ts")).backfillLs,
  },
  {
    noun: "backfill",
    verb: "cancel",
    summary: "Make no more runs of a backfill, and cancel those that are open.",
    load: async () => (await import("./backfill/cancel.ts")).backfillCancel,
  },
  {
    noun: "flow-run",
    verb: "execute",
    summary: "Execute the flow run that a worker has told this process of, by its environment.",
    load: async () => (await import("./flow-run/execute.ts")).flowRunExecute,
  },
  {
    noun: "flow-run",
    verb: "ls",
    summary: "List flow runs, the latest first.",
    load: async () => (await import("./flow-run/ls.ts")).flowRunLs,
  },
  {
    noun: "flow-run",
    verb: "inspect",
    summary: "Show one flow run with its task runs.",
    load: async () => (await import("./flow-run/inspect.ts")).flowRunInspect,
  },
  {
    noun: "flow-run",
    verb: "why",
    summary: "Say why a flow run is not running.",
    load: async () => (await import("./flow-run/why.ts")).flowRunWhy,
  },
  {
    noun: "flow-run",
    verb: "logs",
    summary: "Print the log lines of a flow run.",
    load: async () => (await import("./flow-run/logs.ts")).flowRunLogs,
  },
  {
    noun: "flow-run",
    verb: "cancel",
    summary: "Cancel a flow run: its process is asked to stop, and ended if it does not.",
    load: async () => (await import("./flow-run/cancel.ts")).flowRunCancel,
  },
  {
    noun: "flow-run",
    verb: "retry",
    summary: "Run a flow run of a deployment again; tasks that are done are not run again.",
    load: async () => (await import("./flow-run/retry.ts")).flowRunRetry,
  },
  {
    noun: "flow-run",
    verb: "delete",
    summary: "Delete a flow run with its task runs, logs and artifacts.",
    load: async () => (await import("./flow-run/delete.ts")).flowRunDelete,
  },
  {
    noun: "flow",
    verb: "ls",
    summary: "List flows.",
    load: async () => (await import("./flow/ls.ts")).flowLs,
  },
  {
    noun: "flow",
    verb: "inspect",
    summary: "Show one flow with its deployments.",
    load: async () => (await import("./flow/inspect.ts")).flowInspect,
  },
  {
    noun: "flow",
    verb: "delete",
    summary: "Delete a flow and its deployments; its runs stay.",
    load: async () => (await import("./flow/delete.ts")).flowDelete,
  },
  {
    noun: "task-run",
    verb: "ls",
    summary: "List task runs, the latest first.",
    load: async () => (await import("./task-run/ls.ts")).taskRunLs,
  },
  {
    noun: "task-run",
    verb: "inspect",
    summary: "Show one task run with the states it went through.",
    load: async () => (await import("./task-run/inspect.ts")).taskRunInspect,
  },
  {
    noun: "artifact",
    verb: "ls",
    summary: "List the latest artifact of each key.",
    load: async () => (await import("./artifact/ls.ts")).artifactLs,
  },
  {
    noun: "artifact",
    verb: "inspect",
    summary: "Show one artifact: the latest of a key, or one by its id.",
    load: async () => (await import("./artifact/inspect.ts")).artifactInspect,
  },
  {
    noun: "artifact",
    verb: "delete",
    summary: "Delete one artifact by its id, or every version of a key.",
    load: async () => (await import("./artifact/delete.ts")).artifactDelete,
  },
  {
    noun: "variable",
    verb: "ls",
    summary: "List variables.",
    load: async () => (await import("./variable/ls.ts")).variableLs,
  },
  {
    noun: "variable",
    verb: "get",
    summary: "Print a variable's value: text as it stands, anything else as JSON.",
    load: async () => (await import("./variable/get.ts")).variableGet,
  },
  {
    noun: "variable",
    verb: "set",
    summary: "Set a variable.",
    load: async () => (await import("./variable/set.ts")).variableSet,
  },
  {
    noun: "variable",
    verb: "unset",
    summary: "Delete a variable.",
    load: async () => (await import("./variable/unset.ts")).variableUnset,
  },
  {
    noun: "variable",
    verb: "inspect",
    summary: "Show one variable.",
    load: async () => (await import("./variable/inspect.ts")).variableInspect,
  },
  {
    noun: "limit",
    verb: "ls",
    summary: "List concurrency limits with the slots in use.",
    load: async () => (await import("./limit/ls.ts")).limitLs,
  },
  {
    noun: "limit",
    verb: "inspect",
    summary: "Show one concurrency limit.",
    load: async () => (await import("./limit/inspect.ts")).limitInspect,
  },
  {
    noun: "limit",
    verb: "holders",
    summary: "Show who holds the slots of a concurrency limit, and who waits for them.",
    load: async () => (await import("./limit/holders.ts")).limitHolders,
  },
  {
    noun: "limit",
    verb: "create",
    summary: "Create a concurrency limit, or a rate limit.",
    load: async () => (await import("./limit/create.ts")).limitCreate,
  },
  {
    noun: "limit",
    verb: "update",
    summary: "Change a concurrency limit. A limit of 0 lets nobody in until it is raised.",
    load: async () => (await import("./limit/update.ts")).limitUpdate,
  },
  {
    noun: "limit",
    verb: "reset",
    summary: "Free all slots of a concurrency limit. Whoever holds them loses them.",
    load: async () => (await import("./limit/reset.ts")).limitReset,
  },
  {
    noun: "limit",
    verb: "delete",
    summary: "Delete a concurrency limit. Whoever holds its slots loses them.",
    load: async () => (await import("./limit/delete.ts")).limitDelete,
  },
  {
    noun: "key",
    verb: "create",
    summary: "Make an API key. It is shown once.",
    load: async () => (await import("./key/create.ts")).keyCreate,
  },
  {
    noun: "key",
    verb: "ls",
    summary: "List API keys, the newest first.",
    load: async () => (await import("./key/ls.ts")).keyLs,
  },
  {
    noun: "key",
    verb: "revoke",
    summary: "Revoke an API key: within half a minute nobody can use it.",
    load: async () => (await import("./key/revoke.ts")).keyRevoke,
  },
  {
    noun: "block",
    verb: "ls",
    summary: "List blocks.",
    load: async () => (await import("./block/ls.ts")).blockLs,
  },
  {
    noun: "block",
    verb: "inspect",
    summary: "Show one block.",
    load: async () => (await import("./block/inspect.ts")).blockInspect,
  },
  {
    noun: "block",
    verb: "create",
    summary: "Save a block of a type that is registered.",
    load: async () => (await import("./block/create.ts")).blockCreate,
  },
  {
    noun: "block",
    verb: "delete",
    summary: "Delete a block.",
    load: async () => (await import("./block/delete.ts")).blockDelete,
  },
  {
    noun: "block-type",
    verb: "ls",
    summary: "List the types that blocks can have.",
    load: async () => (await import("./block-type/ls.ts")).blockTypeLs,
  },
  {
    noun: "version",
    verb: null,
    summary: "Print the version of this program, and of the server it talks to.",
    load: async () => (await import("./version.ts")).version,
  },
];
