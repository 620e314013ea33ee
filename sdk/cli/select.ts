/** Finds the command that a command line names, without loading any. */
import type { CommandEntry } from "./commands/index.ts";
import { CliError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import type { OutputFormat } from "./output.ts";

export type Selection =
  /** `noun` null: everything; else the verbs of one noun. `asked` is false if something was missing instead. */
  | { readonly kind: "help"; readonly noun: string | null; readonly asked: boolean }
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] };

const HELP = new Set(["--help", "-h"]);

export function select(line: readonly string[], commands: readonly CommandEntry[]): Selection {
  // `--output` may stand in front of the noun; the command reads it with its other options.
  const leading: string[] = [];
  const words = [...line];
  while (words[0]?.startsWith("-o") || words[0]?.startsWith("--output")) {
    const option = words.shift() ?? "";
    leading.push(option);
    if ((option === "-o" || option === "--output") && words[0] !== undefined) leading.push(words.shift() ?? "");
  }
  const [noun, verb, ...rest] = words;
  if (noun === undefined) return { kind: "help", noun: null, asked: false };
  if (noun === "help") return select([...(verb === undefined ? [] : [verb]), ...rest, "--help"], commands);
  if (HELP.has(noun)) return { kind: "help", noun: null, asked: true };
  if (noun === "--version" || noun === "-V") return select([...leading, "version", ...words.slice(1)], commands);

  const ofNoun = commands.filter((entry) => entry.noun === noun);
  const single = ofNoun.find((entry) => entry.verb === null);
  if (single !== undefined) return { kind: "command", entry: single, rest: [...leading, ...words.slice(1)] };
  if (ofNoun.length === 0) throw unknown("command", noun, "", [...new Set(commands.map((entry) => entry.noun))]);
  if (verb === undefined || HELP.has(verb)) return { kind: "help", noun, asked: verb !== undefined };
  const entry = ofNoun.find((candidate) => candidate.verb === verb);
  if (entry !== undefined) return { kind: "command", entry, rest: [...leading, ...rest] };
  throw unknown(
    `${noun} command`,
    verb,
    `${noun} `,
    ofNoun.map((candidate) => candidate.verb ?? ""),
  );
}

/** The format that a command line asks for, for errors that come before it is parsed. */
export function formatOf(whole: readonly string[]): OutputFormat {
  // What stands behind `--` is another program's.
  const dashes = whole.indexOf("--");
  const line = dashes === -1 ? whole : whole.slice(0, dashes);
  const json = line.some(
    (word, at) => /^(--output=|-o=?)json$/.test(word) || (/^(--output|-o)$/.test(word) && line[at + 1] === "json"),
  );
  return json ? "json" : "table";
}

function unknown(kind: string, given: string, prefix: string, known: readonly string[]): CliError {
  const meant = nearest(given, known);
  const fix =
    meant === null
      ? `There is: ${known.map((word) => `sluice ${prefix}${word}`).join(", ")}.`
      : `Did you mean: sluice ${prefix}${meant}`;
  return new CliError(`There is no ${kind} "${given}".`, { fix, code: "unknown_command" });
}
