/** What a job of type "process" is, read from the configuration that the pool's template gives. */
import { CannotStartError } from "./cannot-start.ts";
import { commandWords } from "./command-words.ts";
import type { JobConfiguration } from "./template/job-configuration.ts";

export interface ProcessJob {
  /** In place of the program that runs flows of TypeScript; null for that one. */
  readonly command: readonly [string, ...string[]] | null;
  readonly env: Readonly<Record<string, string>>;
  /** Null for the path of the deployment. */
  readonly workingDirectory: string | null;
  /** Whether the worker prints what the process writes. */
  readonly streamOutput: boolean;
}

/** Throws {@link CannotStartError} for a configuration that is not one of a process. */
export function processJob(configuration: JobConfiguration): ProcessJob {
  const { command, env, working_dir: directory, stream_output: stream } = configuration;
  return {
    command: typeof command === "string" && command.trim() !== "" ? wordsOf(command) : null,
    env: environmentOf(env),
    workingDirectory: typeof directory === "string" && directory !== "" ? directory : null,
    streamOutput: stream !== false && stream !== "false",
  };
}

function wordsOf(command: string): [string, ...string[]] | null {
  try {
    const [program, ...words] = commandWords(command);
    return program === undefined ? null : [program, ...words];
  } catch (error) {
    throw new CannotStartError((error as Error).message);
  }
}

/** Null values are left out, everything else becomes text. */
export function environmentOf(env: unknown): Record<string, string> {
  if (env === undefined || env === null) return {};
  if (typeof env !== "object" || Array.isArray(env)) {
    throw new CannotStartError(`The job variable "env" is ${JSON.stringify(env)}. Give an object of names and values.`);
  }
  const entries = Object.entries(env).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
