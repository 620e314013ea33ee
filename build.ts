/**
 * Builds what a user runs into `dist/`: the Worker, the UI, the migrations.
 *
 * `--if-stale` builds only when a source has changed since. The result takes the place of the old one by a rename, under
 * a lock, so that a server that starts meanwhile sees the one or the other, and two builds at once do no harm.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(ROOT, "dist");
/** Nobody builds for longer than this. */
const LOCK_TIMEOUT_MS = 120_000;

/** Whatever the result depends on. */
const SOURCES = [
  "build.ts",
  "package.json",
  "package-lock.json",
  "{worker,durable-objects,sdk/protocol,sdk/client}/**/*.{ts,json,html}",
  "ui/**/*.*",
  "migrations/**/*.{sql,json}",
];

interface Build {
  /** Of package.json. */
  readonly version: string;
  /** The newest migration, as drizzle names it. */
  readonly schema: string;
  /** A digest of all sources. */
  readonly sources: string;
}

/** Builds, or answers null when `ifStale` and nothing has changed. */
async function build({ ifStale }: { ifStale: boolean }): Promise<Build | null> {
  if (ifStale && isFresh()) return null;
  const cache = join(ROOT, "node_modules/.cache/sluice");
  mkdirSync(cache, { recursive: true });
  // The kernel lets go of the lock when this process ends, however it ends.
  const lock = new DatabaseSync(join(cache, "build.lock.sqlite"), { timeout: LOCK_TIMEOUT_MS });
  lock.exec("BEGIN EXCLUSIVE");
  const draft = join(cache, `dist-${process.pid}`);
  try {
    // Whoever held the lock may have built the same.
    if (ifStale && isFresh()) return null;
    rmSync(draft, { recursive: true, force: true });
    const built: Build = { version: readVersion(), schema: copyMigrations(draft), sources: digestSources() };
    await Promise.all([buildWorker(draft), buildUi(draft)]);
    writeFileSync(join(draft, "build.json"), `${JSON.stringify(built, null, 2)}\n`);
    replace(draft, join(cache, `dist-${process.pid}-before`));
    return built;
  } finally {
    rmSync(draft, { recursive: true, force: true });
    lock.close();
  }
}

async function buildWorker(draft: string): Promise<void> {
  const esbuild = await import("esbuild");
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ["worker/index.ts"],
    outfile: join(draft, "worker.js"),
    bundle: true,
    format: "esm",
    target: "es2024",
    minify: true,
    // As wrangler does: errors and logs show names.
    keepNames: true,
    external: ["cloudflare:*", "node:*"],
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    logLevel: "warning",
  });
  await esbuild.stop();
}

async function buildUi(draft: string): Promise<void> {
  const outDir = join(draft, "ui");
  mkdirSync(outDir, { recursive: true });
  if (!existsSync(join(ROOT, "ui/index.html"))) return;
  const vite = await import("vite");
  await vite.build({ root: join(ROOT, "ui"), logLevel: "warn", build: { outDir, emptyOutDir: true } });
}

/** Answers the name of the newest. */
function copyMigrations(draft: string): string {
  for (const file of globSync(["*.sql", "meta/_journal.json"], { cwd: join(ROOT, "migrations") })) {
    cpSync(join(ROOT, "migrations", file), join(draft, "migrations", file), { recursive: true });
  }
  const journal: { entries: { tag: string }[] } = readJson(join(draft, "migrations/meta/_journal.json"));
  const newest = journal.entries.at(-1);
  if (newest === undefined)
    throw new Error("migrations/meta/_journal.json lists no migration. Run: npm run db:generate");
  return newest.tag;
}

/** The rename of a folder cannot replace one, so for a moment there is none; `readProgram` waits for it. */
function replace(draft: string, before: string): void {
  rmSync(before, { recursive: true, force: true });
  if (existsSync(DIST)) renameSync(DIST, before);
  renameSync(draft, DIST);
  rmSync(before, { recursive: true, force: true });
}

function isFresh(): boolean {
  const file = join(DIST, "build.json");
  return existsSync(file) && readJson<Build>(file).sources === digestSources();
}

function digestSources(): string {
  const hash = createHash("sha256");
  for (const file of globSync(SOURCES, { cwd: ROOT }).sort())
    hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

function readVersion(): string {
  return readJson<{ version: string }>(join(ROOT, "package.json")).version;
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8"));
}

const startedAt = performance.now();
const built = await build({ ifStale: process.argv.includes("--if-stale") });
if (built !== null) {
  const elapsedMs = Math.round(performance.now() - startedAt);
  console.error(`Built Sluice ${built.version} (schema ${built.schema}) into dist/ in ${elapsedMs} ms.`);
}
