/** One command line, from words to exit code. */
import { COMMANDS, type CommandEntry } from "./commands/index.ts";
import { readConnection } from "./connection.ts";
import { readError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { createOutput, type Streams } from "./output.ts";
import { formatOf, select } from "./select.ts";

export interface CliInput {
  /** Without the program's own name. */
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly streams: Streams;
  /** By default, all commands. */
  readonly commands?: readonly CommandEntry[];
}

/** Runs it. Answers the exit code; whatever goes wrong is printed, never thrown. */
export async function runCli({ words, environment, streams, commands = COMMANDS }: CliInput): Promise<number> {
  try {
    const selection = select(words, commands);

    if (selection.kind === "help") {
      const { helpText } = await import("./help.ts");
      (selection.asked ? streams.out : streams.err)(helpText(commands, selection.noun));
      return selection.asked ? EXIT.ok : EXIT.usage;
    }
    const [command, { parse }] = await Promise.all([selection.entry.load(), import("./parse.ts")]);
    const parsed = parse(command, selection.rest);
    if (parsed.kind === "help") {
      streams.out(parsed.text);
      return EXIT.ok;
    }
    const output = createOutput(parsed.format, streams);
    const connection = readConnection(environment);
    const { arguments: given, options, after } = parsed;
    return (await command.run({ arguments: given, options, after, connection, output })) ?? EXIT.ok;
  } catch (error) {
    const { shown, exitCode } = readError(error);
    createOutput(formatOf(words), streams).error(shown);
    return exitCode;
  }
}
