/** The template of a pool's jobs, from a file or from standard input. */
import { readFile } from "node:fs/promises";
import { text as wholeText } from "node:stream/consumers";
import type { JsonObject } from "../../../protocol/flow-runs.ts";
import { BaseJobTemplate } from "../../../protocol/job-template.ts";
import { CliError } from "../../errors.ts";
import { type Parameter, text } from "../../parameters.ts";

const STANDARD_INPUT = "-";

export function templateOption(): Parameter<string | undefined> {
  return text("The template of its jobs: a file with JSON, or - for standard input.", { placeholder: "file" });
}

/** Throws {@link CliError} for what cannot be read or is no template. */
export async function readTemplate(from: string): Promise<JsonObject> {
  const where = from === STANDARD_INPUT ? "Standard input" : `The file ${from}`;
  const written = from === STANDARD_INPUT ? await wholeText(process.stdin) : await contentOf(from);
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch (error) {
    const why = written.trim() === "" ? "it is empty" : error instanceof Error ? error.message : String(error);
    throw broken(`${where} holds no JSON: ${why}.`, error);
  }
  const read = BaseJobTemplate.safeParse(value);
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw broken(`${where} holds no template of jobs: ${wrong.join("; ").replace(/\.$/, "")}.`);
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = error instanceof Error ? error.message : String(error);
    throw broken(isMissing ? `There is no file ${file}.` : `The file ${file} cannot be read: ${why}.`, error);
  }
}

function broken(message: string, cause?: unknown): CliError {
  return new CliError(message, {
    fix: "Begin with the template that a pool has: sluice work-pool inspect NAME --template > template.json",
    cause,
  });
}
