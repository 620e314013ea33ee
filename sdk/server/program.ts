/** What this copy of Sluice consists of: the built Worker, UI and migrations, beside the package's own root. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ServerError } from "./errors.ts";

export interface Program {
  readonly version: string;
  /** The newest migration, as drizzle names it, e.g. "0003_limits". */
  readonly schema: string;
  /** All migrations, oldest first. */
  readonly schemas: readonly string[];
  /** The Worker's configuration as it is deployed. */
  readonly wranglerFile: string;
  readonly workerFile: string;
  readonly uiFolder: string;
  readonly migrationsFolder: string;
}

const ROOT = new URL("../../", import.meta.url);

/** A build that puts its result in place leaves none for a moment. */
const BUILD_SWAP_TRIES = 10;
const BUILD_SWAP_WAIT_MS = 10;

/** Throws `not_built` when there is no bundle. */
export function readProgram(): Program {
  for (let tries = 1; ; tries += 1) {
    try {
      return readBuild();
    } catch (error) {
      if (tries === BUILD_SWAP_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUILD_SWAP_WAIT_MS);
    }
  }
}

function readBuild(): Program {
  const path = (relative: string): string => fileURLToPath(new URL(relative, ROOT));
  let build: { version: string; schema: string };
  let journal: { entries: readonly { tag: string }[] };
  try {
    build = JSON.parse(readFileSync(path("dist/build.json"), "utf8"));
    journal = JSON.parse(readFileSync(path("dist/migrations/meta/_journal.json"), "utf8"));
  } catch (cause) {
    throw new ServerError("not_built", `There is no built Worker in ${path("dist")}.`, {
      fix: "Build it: npm run build",
      cause,
    });
  }
  return {
    version: build.version,
    schema: build.schema,
    schemas: journal.entries.map((entry) => entry.tag),
    wranglerFile: path("wrangler.toml"),
    workerFile: path("dist/worker.js"),
    uiFolder: path("dist/ui"),
    migrationsFolder: path("dist/migrations"),
  };
}

/** The version in package.json. */
export function programVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8"));
  return version;
}
