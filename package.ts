/**
 * Makes the package as it is published, in `node_modules/.cache/sluice/package/` and as a tarball beside it: the SDK, the worker and the
 * CLI as JavaScript with types, and what `npm run build` made. Node runs no TypeScript from `node_modules`, which is why
 * the repository itself is not the package. Prints the tarball's path.
 *
 * The code is bundled into a file for each door and each program, and chunks that they share, since half of the time of
 * an import goes into finding a hundred files. Zod is bundled, too: most of it is not needed.
 */

import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { MINIFIED, mergeChunks } from "./package-core.ts";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/sluice");
const PACKAGE = join(CACHE, "package");

/** What `sluice server start` needs beside the code. */
const SERVER_FILES = ["dist", "wrangler.toml"];

interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** A relative import of a declaration file: the compiler names the source there, not what it made of it. */
const SOURCE_IMPORT = /((?:from |import\(|import )"\.{1,2}\/[^"]+)\.ts"/g;
/** The package that a file imports, of whatever scope; not Node's own, and not `#…`, which is the package itself. */
const PACKAGE_IMPORT =
  /(?:from |import\(|import |createRequire\([^)]*\)\()"((?:@[\w.-]+\/)?[a-z][\w.-]*)(?:\/[^":]*)?"/g;

async function makePackage(): Promise<string> {
  for (const file of ["package", ...globSync("*.tgz", { cwd: CACHE })]) {
    rmSync(join(CACHE, file), { recursive: true, force: true });
  }
  mkdirSync(PACKAGE, { recursive: true });
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.package.json", "--outDir", PACKAGE], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  for (const file of globSync("**/*.d.ts", { cwd: PACKAGE })) {
    const path = join(PACKAGE, file);
    writeFileSync(path, readFileSync(path, "utf8").replace(SOURCE_IMPORT, '$1.js"'));
  }
  const imported = importedPackages();
  // Before the bundle is made, since `#…` imports are looked up in it.
  writeFileSync(join(PACKAGE, "package.json"), `${JSON.stringify(publishedManifest(imported), null, 2)}\n`);
  await bundleCode([...imported].filter((name) => name !== "zod"));
  cpSync(join(ROOT, "node_modules/zod/LICENSE"), join(PACKAGE, "sdk/zod-license.txt"));
  for (const file of SERVER_FILES) cpSync(join(ROOT, file), join(PACKAGE, file), { recursive: true });
  for (const file of ["README.md", "LICENSE", ...globSync("docs/*.md", { cwd: ROOT })]) {
    cpSync(join(ROOT, file), join(PACKAGE, file));
  }
  const [{ filename } = { filename: "" }]: { filename: string }[] = Object.values(
    JSON.parse(
      execFileSync("npm", ["pack", "--json", "--pack-destination", CACHE, PACKAGE], { cwd: CACHE, encoding: "utf8" }),
    ),
  );
  return join(CACHE, filename);
}

/** Programs that are started, or loaded by their address. */
const PROGRAMS = ["cli/main", "runner/child", "runner/orphan-watch", "runner/load-from-source"];

/**
 * Puts bundles in the places of the compiled doors and programs, and removes what they are made of. Chunks lie beside the
 * worker's programs, which some of their modules look for beside themselves. Those of the core are one.
 */
async function bundleCode(external: string[]): Promise<void> {
  const doors = Object.values(readManifest().exports).map((source) => source.replace(/\.ts$/, ".js"));
  const entries = globSync([...doors, ...PROGRAMS.map((name) => `sdk/${name}.js`)], { cwd: PACKAGE });
  const compiled = globSync("**/*.js", { cwd: PACKAGE });
  for (const file of compiled) {
    const path = join(PACKAGE, file);
    // Of a namespace import, what is not used can be left out.
    writeFileSync(path, readFileSync(path, "utf8").replace('import { z } from "zod"', 'import * as z from "zod"'));
  }
  const { metafile } = await bundle({
    absWorkingDir: PACKAGE,
    entryPoints: entries,
    outbase: PACKAGE,
    outdir: PACKAGE,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    chunkNames: "sdk/runner/chunk-[hash]",
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2024",
    ...MINIFIED,
    external: [...external, "node:*"],
    nodePaths: [join(ROOT, "node_modules")],
    metafile: true,
    logLevel: "warning",
  });
  for (const file of compiled) if (!(file in metafile.outputs)) rmSync(join(PACKAGE, file));
  await mergeChunks(PACKAGE, metafile.outputs, "sdk/index.js", "sdk/runner/core.js");
}

function importedPackages(): ReadonlySet<string> {
  const names = globSync("**/*.js", { cwd: PACKAGE }).flatMap((file) =>
    [...readFileSync(join(PACKAGE, file), "utf8").matchAll(PACKAGE_IMPORT)].map(([, name = ""]) => name),
  );
  return new Set(names);
}

/** The repository's own, with what was compiled in place of the sources and without what the server's bundle holds. */
function publishedManifest(imported: ReadonlySet<string>): object {
  const { private: _private, scripts: _scripts, devDependencies: _tools, ...own } = readManifest();
  const { allowScripts: _allowed, overrides: _overrides, exports, imports, dependencies, ...rest } = own;
  return {
    ...rest,
    bin: { sluice: "sdk/cli/main.js" },
    files: ["sdk", "durable-objects", "docs", ...SERVER_FILES],
    sideEffects: false,
    exports: Object.fromEntries(
      Object.entries(exports).map(([door, source]) => [
        door,
        { types: source.replace(/\.ts$/, ".d.ts"), default: source.replace(/\.ts$/, ".js") },
      ]),
    ),
    imports: Object.fromEntries(
      Object.entries(imports)
        .filter(([, source]) => globSync(source.replace(/\.ts$/, ".d.ts"), { cwd: PACKAGE }).length > 0)
        .map(([name, source]) => [name, source.replace(/\.ts$/, ".js")]),
    ),
    dependencies: Object.fromEntries(Object.entries(dependencies).filter(([name]) => imported.has(name))),
  };
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
}

process.stdout.write(`${await makePackage()}\n`);
