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
    verb: "logs",
    summary: "Print the log lines of a flow run.",
    load: async () => (await import("./flow-run/logs.ts")).flowRunLogs,
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
