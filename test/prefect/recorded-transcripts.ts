/** What Prefect's own server knew after each scenario: one file each, with the version that it was recorded with. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json, Transcript } from "./transcript-diff.ts";
import { CACHE } from "./venv.ts";

interface Recording {
  /** E.g. "prefect 3.8.8, SQLite". */
  readonly recorded_with: string;
  readonly transcript: Transcript;
}

const RECORDED_WITH = "prefect 3.8.8 with the packages of constraints.txt, SQLite";
const LINE_COLUMNS = 120;

/** Null when the scenario has not been recorded. */
export function recorded(name: string): Transcript | null {
  const file = fileOf(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Recording).transcript : null;
}

export function record(name: string, transcript: Transcript): void {
  writeFileSync(fileOf(name), `${inFewLines({ recorded_with: RECORDED_WITH, transcript })}\n`);
}

/** Keeps a transcript that differs, as it would have been recorded; answers where. */
export function keepActual(name: string, transcript: Transcript): string {
  const folder = join(CACHE, "differing-transcripts");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, `${inFewLines({ recorded_with: "Sluice", transcript })}\n`);
  return file;
}

/** JSON in which what fits into a line stands in one. */
function inFewLines(value: Json, indent = ""): string {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null || indent.length + line.length <= LINE_COLUMNS) return line;
  const inner = `${indent} `;
  const lines = Array.isArray(value)
    ? value.map((item: Json) => inner + inFewLines(item, inner))
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${inFewLines(item as Json, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`transcripts/${name}.json`, import.meta.url));
}
