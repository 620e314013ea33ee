/** Finds the flow that `path/file.ts:exportName` names. Everything that can be wrong with it is said in a sentence. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** An entrypoint that leads to no flow. The message says what is there instead. */
export class EntrypointError extends Error {
  override readonly name = "EntrypointError";
  /** For the command line, where the folder that paths begin at is not in sight. */
  readonly fix: string =
    "Correct the path, which begins at the folder where the command runs, or the name of the export.";

  constructor(message: string, options: { cause?: unknown; fix?: string } = {}) {
    super(message, { cause: options.cause });
    if (options.fix !== undefined) this.fix = options.fix;
  }
}

export interface Entrypoint {
  readonly file: string;
  readonly exportName: string;
}

const FORM = 'Write it as "path/to/file.ts:exportName"';
const NAMES_SHOWN = 12;

/** Splits an entrypoint. Throws {@link EntrypointError}. */
export function parseEntrypoint(text: string | null): Entrypoint {
  if (text === null || text.trim() === "") {
    throw new EntrypointError(`The deployment has no entrypoint. ${FORM}.`);
  }
  const colon = text.lastIndexOf(":");
  const file = text.slice(0, colon);
  const exportName = text.slice(colon + 1);
  // At 1 stands the colon of a Windows drive.
  if (colon <= 1 || exportName === "" || /[\\/]/.test(exportName)) {
    const example = colon === -1 && !text.includes("/") ? "" : `, for example "${text.replace(/:+$/, "")}:main"`;
    throw new EntrypointError(`The entrypoint "${text}" does not name an export. ${FORM}${example}.`);
  }
  if (extname(file) === ".py") {
    throw new EntrypointError(
      `The entrypoint "${text}" is a Python flow, which this worker cannot run. Start a Prefect worker for the pool.`,
    );
  }
  return { file, exportName };
}

/**
 * Imports the file and answers the export, which `isFlow` has to recognise. `folder` is what a relative path starts
 * from. Throws {@link EntrypointError}.
 */
export async function loadEntrypoint<F>(
  text: string | null,
  folder: string,
  isFlow: (value: unknown) => value is F,
): Promise<F> {
  const { file, exportName } = parseEntrypoint(text);
  const path = resolve(folder, file);
  await mustBeFile(path, folder);
  const module = await importModule(path);
  const value = module[exportName];
  if (isFlow(value)) return value;
  const flows = Object.keys(module).filter((name) => isFlow(module[name]));
  const shown = relative(folder, path) || path;
  const flowsThere = flows.length > 0 ? `The flows it exports: ${list(flows)}.` : "It exports no flow.";
  if (!(exportName in module)) {
    const names = Object.keys(module);
    const exportsThere = names.length > 0 ? `It exports: ${list(names)}.` : "It exports nothing.";
    throw new EntrypointError(
      `${shown} has no export "${exportName}". ${exportsThere} ${flows.length > 0 ? flowsThere : "None of that is a flow."}`,
    );
  }
  throw new EntrypointError(
    `The export "${exportName}" of ${shown} is ${kindOf(value)}, not a flow. ${flowsThere} Make it one with flow({ name: "…" }, async () => …).`,
  );
}

/** Imports a file, relative to `folder`, and answers its exports. Throws {@link EntrypointError}. */
export async function loadModule(file: string, folder: string): Promise<Record<string, unknown>> {
  const path = resolve(folder, file);
  await mustBeFile(path, folder);
  return await importModule(path);
}

async function mustBeFile(path: string, folder: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return;
  if (found) throw new EntrypointError(`${path} is not a file. ${FORM}.`);
  const parent = dirname(path);
  const names = await readdir(parent).catch(() => null);
  if (names === null) {
    throw new EntrypointError(
      `There is no folder ${parent} on this machine, and so no ${basename(path)} in it. Relative paths start from ${folder}; set the deployment's path to the folder of the code.`,
    );
  }
  const sources = names.filter((name) => /\.[cm]?[jt]s$/.test(name)).sort();
  const there = sources.length > 0 ? `In that folder there are: ${list(sources)}.` : "That folder has no source files.";
  throw new EntrypointError(`There is no file ${path} on this machine. ${there}`);
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw new EntrypointError(`${path} could not be loaded: ${describe(error)}`, {
      fix: "Mend the file, or install what it imports where it lies (for a repository: --setup 'npm ci').",
      cause: error,
    });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : null;
  const hint =
    code === "ERR_MODULE_NOT_FOUND"
      ? " Install the packages of the code on this machine."
      : code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? ` Node ${process.versions.node} cannot run this kind of file; TypeScript needs Node 22.18 or newer.`
        : code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
          ? " Node runs TypeScript by leaving out its types; enums, namespaces and parameter properties have to be compiled before."
          : "";
  return `${error.name}: ${error.message}.${hint}`.replace(/\.\.(?=$| )/, ".");
}

function list(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return /^class\b/.test(String(value)) ? "a class" : "a plain function";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
