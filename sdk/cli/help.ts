/** The lists of commands, from the registry alone. */
import { nameOf } from "./command.ts";
import type { CommandEntry } from "./commands/index.ts";

/** All commands, or those of one noun. */
export function helpText(commands: readonly CommandEntry[], noun: string | null): string {
  const shown = commands.filter((entry) => noun === null || entry.noun === noun);
  const width = Math.max(...shown.map((entry) => nameOf(entry).length));
  const lines = shown.map((entry) => `  ${nameOf(entry).padEnd(width)}  ${entry.summary}`);
  return [
    `Usage: sluice ${noun ?? "<noun>"} <verb> [arguments] [options]`,
    "",
    "Commands:",
    ...lines,
    "",
    "Every command takes --help, and --output json for programs.",
    "SLUICE_API_URL (default http://127.0.0.1:4200/api) and SLUICE_API_KEY say which control plane to talk to.",
    "",
  ].join("\n");
}
