/** What runs in a container, whatever starts it: the program, the folder it begins in, and where it finds the API. */
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { CannotStartError } from "../cannot-start.ts";
import { commandWords } from "../command-words.ts";
import { type RunAssignment, toEnvironment, toPrefectEnvironment } from "../run-assignment.ts";

/** In place of a command of the user's: the Sluice of the image runs the flow, in TypeScript. */
export const EXECUTE: readonly string[] = ["sluice", "flow-run", "execute"];

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export function isLoopback(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname);
}

/** Throws {@link CannotStartError} for a quote that is not closed. */
export function wordsOf(command: string): string[] {
  try {
    return commandWords(command);
  } catch (error) {
    throw new CannotStartError((error as Error).message);
  }
}

/** Throws {@link CannotStartError}: there is no image that could be a default. */
export function imageIsMissing(): never {
  throw new CannotStartError(
    'The job has no image. Set the job variable "image" of the deployment, or its default in the work pool.',
  );
}

/** The code of a container is in its image: of pull steps only the one that names a folder makes sense. */
export function directoryIn({ pull_steps: steps }: RunTicket): string | null {
  let directory: string | null = null;
  for (const [name, inputs] of (steps ?? []).flatMap((step) => Object.entries(step))) {
    const given = typeof inputs === "object" && inputs !== null ? Reflect.get(inputs, "directory") : null;
    if (!/(^|\.)set_working_directory$/.test(name) || typeof given !== "string") {
      throw new CannotStartError(
        `The pull step "${name}" cannot be done for a container: put the code into its image.`,
      );
    }
    directory = given;
  }
  return directory;
}

export interface RemoteEnvironment {
  /** Without the key. */
  readonly variables: Readonly<Record<string, string>>;
  /** Names that the run's key is known by; none where the control plane asks for no key. */
  readonly keyNames: readonly string[];
}

/**
 * The environment of a container on another machine. The job variable `env` may name an address of the API by which it
 * is reached from there, as SLUICE_API_URL or PREFECT_API_URL. Throws {@link CannotStartError} for a program that reports
 * to an address of this machine only.
 */
export function remoteEnvironment(
  own: Readonly<Record<string, string>>,
  assignment: RunAssignment,
  { reports }: { readonly reports: boolean },
): RemoteEnvironment {
  const named = own["SLUICE_API_URL"] ?? own["PREFECT_API_URL"];
  if (reports && named === undefined && isLoopback(assignment.apiUrl)) {
    throw new CannotStartError(
      `The worker knows the API as ${assignment.apiUrl}, which nobody reaches from another machine. Start the worker with an address that the job reaches, or set SLUICE_API_URL in the job variable "env".`,
    );
  }
  const told = { ...assignment, apiUrl: named ?? assignment.apiUrl, apiKey: null };
  const all = { ...own, ...toPrefectEnvironment(told), ...toEnvironment(told) };
  const set = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    variables: Object.fromEntries(set),
    keyNames: assignment.apiKey === null ? [] : ["SLUICE_API_KEY", "PREFECT_API_KEY"],
  };
}
