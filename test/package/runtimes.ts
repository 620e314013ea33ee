/**
 * The runtimes beside this one, as their npm packages, installed once under `node_modules/.cache/sluice`, since nobody who
 * works on something else wants to fetch 300 MB: Node 22, Bun and Deno.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/sluice", import.meta.url));
const PACKAGES = { bun: "1.4.5", deno: "2.9.6", node22: "npm:node@22.23.3" };
const INSTALL_TIMEOUT_MS = 240_000;

/** A runtime and the words that come before a program's path. */
export interface Runtime {
  readonly name: string;
  readonly command: readonly [program: string, ...words: string[]];
}

export const THIS_NODE: Runtime = { name: "this Node", command: [process.execPath] };

/** Installs the runtimes unless they are. Throws what npm says when it cannot. */
export async function installRuntimes(): Promise<readonly Runtime[]> {
  const folder = join(
    CACHE,
    `runtimes-${Object.values(PACKAGES)
      .join("-")
      .replace(/[^\w.-]/g, "")}`,
  );
  if (!existsSync(folder)) {
    // Whoever is first puts it in place; a second one at the same time has worked for nothing.
    const draft = `${folder}.${process.pid}`;
    await mkdir(draft, { recursive: true });
    try {
      const allowed = Object.fromEntries(Object.keys(PACKAGES).map((name) => [name, true]));
      const manifest = { private: true, dependencies: PACKAGES, allowScripts: { ...allowed, node: true } };
      await writeFile(join(draft, "package.json"), JSON.stringify(manifest));
      const words = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"];
      await run("npm", words, { cwd: draft, timeout: INSTALL_TIMEOUT_MS });
      await rename(draft, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  const program = (path: string): string => join(folder, "node_modules", path);
  return [
    { name: "Node 22", command: [program("node22/bin/node")] },
    { name: "Bun", command: [program(".bin/bun"), "run"] },
    { name: "Deno", command: [program(".bin/deno"), "run", "--allow-all", "--quiet"] },
  ];
}
