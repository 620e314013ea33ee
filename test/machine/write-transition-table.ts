/** Writes the transition table into the machine's README, between its markers. Run by `npm run generate`. */
import { readFile, writeFile } from "node:fs/promises";
import { transitionTable } from "#machine/transition-table";

const START = "<!-- transition-table:start -->";
const END = "<!-- transition-table:end -->";
const readme = new URL("../../durable-objects/machine/README.md", import.meta.url);

const text = await readFile(readme, "utf8");
const start = text.indexOf(START);
const end = text.indexOf(END);
if (start < 0 || end < start)
  throw new Error(`${readme.pathname} lacks the markers ${START} and ${END}; put them back.`);
await writeFile(readme, `${text.slice(0, start + START.length)}\n\n${transitionTable()}\n\n${text.slice(end)}`);
