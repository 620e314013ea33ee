/** The shape of a command: `sluice <noun> <verb>`. One command a file, `commands/<noun>/<verb>.ts`. */
import type { Output } from "./output.ts";
import type { Parameters, Values } from "./parameters.ts";

/** Where the API is, from SLUICE_API_URL and SLUICE_API_KEY. */
export interface Connection {
  /** Without a slash at its end, e.g. "http://127.0.0.1:4200/api". */
  readonly apiUrl: string;
  readonly apiKey: string | undefined;
}

export interface CommandContext<A extends Parameters, O extends Parameters> {
  readonly arguments: Values<A>;
  readonly options: Values<O>;
  /** The words behind `--`, for a command that takes any. */
  readonly after: readonly string[];
  readonly connection: Connection;
  readonly output: Output;
}

export interface Command<A extends Parameters = Parameters, O extends Parameters = Parameters> {
  readonly noun: string;
  /** Null for a command of a single word, as `sluice version`. */
  readonly verb: string | null;
  readonly summary: string;
  /** By name, in the order in which they are typed; shown as `<name>`, or `[name]` if it may be left out. */
  readonly arguments: A;
  /** By camelCase name: `dataDir` is typed `--data-dir`. `--output` and `--help` are there by themselves. */
  readonly options: O;
  /** Names what stands behind `--`, for a command that takes words there; they are not read, and reach `run` as `after`. */
  readonly after?: string;
  /** Lines that stand in help as `Examples:`. */
  readonly examples?: readonly string[];
  /**
   * Does it. Answers the exit code, 0 if nothing: one of exit-codes.ts, or that of a program that it ran. Throws a
   * `CliError` or any error with a `fix`.
   */
  run(context: CommandContext<A, O>): Promise<number | undefined>;
}

/** A command, with the types of its parameters inferred. */
export function defineCommand<A extends Parameters, O extends Parameters>(command: Command<A, O>): Command<A, O> {
  return command;
}

/** As it is typed. */
export function nameOf({ noun, verb }: Pick<Command, "noun" | "verb">): string {
  return verb === null ? `sluice ${noun}` : `sluice ${noun} ${verb}`;
}
