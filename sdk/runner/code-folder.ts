/** The folder that a run's process works in, with its code: found on this machine, or brought by pull steps. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ApiClient } from "../client/index.ts";
import type { RunTicket } from "../protocol/worker-channel.ts";
import { CannotStartError } from "./cannot-start.ts";
import { bringsCode, runPullSteps } from "./pull/pull-steps.ts";

export interface CodeFolderOptions {
  readonly client: ApiClient;
  /** From the job's configuration; null for the path of the deployment. */
  readonly workingDirectory: string | null;
  /** Of the run, for its pull steps. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/** Disposing of it removes what pull steps brought. */
export interface CodeFolder extends AsyncDisposable {
  readonly path: string;
}

/** Throws {@link CannotStartError} when there is no such folder on this machine or a pull step cannot be done. */
export async function codeFolder(ticket: RunTicket, options: CodeFolderOptions): Promise<CodeFolder> {
  const steps = ticket.pull_steps ?? [];
  // Code that is brought lies in a folder of its own: two runs at a time would be in each other's way.
  const brought = bringsCode(steps) ? await mkdtemp(join(tmpdir(), "sluice-run-")) : null;
  const remove = async (): Promise<void> => {
    if (brought !== null) await rm(brought, { recursive: true, force: true });
  };
  try {
    const base = brought ?? resolve(options.workingDirectory ?? ticket.path ?? ".");
    const { client, signal, onLine } = options;
    const env = { ...process.env, ...options.env };
    const pulled = await runPullSteps(steps, client, { directory: base, env, signal, onLine });
    // The deployment's path is one within what was brought, unless it is a place on some machine.
    const path = brought === null ? pulled : resolve(pulled, relativePath(ticket.path));
    const found = await stat(path).catch(() => null);
    if (!found?.isDirectory()) {
      throw new CannotStartError(
        `The deployment's path ${path} is not a folder on this machine. Put the code there, or change the path of the deployment.`,
      );
    }
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function relativePath(path: string | null): string {
  return path === null || path.startsWith("/") || /^[A-Za-z]:/.test(path) ? "." : path;
}
