/**
 * Virtual environments of Python, one for each file of pinned packages, made once under `node_modules/.cache/sluice` and
 * used from there without a network.
 */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Where environments and what is derived from them are kept. */
export const CACHE = fileURLToPath(new URL("../../node_modules/.cache/sluice/prefect", import.meta.url));
/** What Prefect 3.8.8 and its pinned dependencies have been tried with. */
const PYTHON_NAMES = ["python3", "python3.13", "python3.12", "python3.11"];
const OLDEST_MINOR = 11;
const NEWEST_MINOR = 13;
/** A maker that left its lock this long ago is taken for dead; installing takes one to three minutes. */
const LOCK_EXPIRES_MS = 15 * 60_000;

/**
 * Answers the path of a Python that has `prefect` 3.8.8 and the packages of `constraints.txt`. The first call installs
 * them, which needs a package index; `SLUICE_PREFECT_PYTHON` names an environment to use instead.
 * Throws when there is no Python from 3.11 to 3.13, or when the installation fails.
 */
export async function prefectPython(): Promise<string> {
  return process.env["SLUICE_PREFECT_PYTHON"] ?? pythonWith("constraints.txt");
}

/** The same for another file of pinned packages beside this one. */
export async function pythonWith(requirementsFile: string): Promise<string> {
  const requirements = join(HERE, requirementsFile);
  const hash = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const folder = join(CACHE, `${basename(requirementsFile, ".txt")}-${hash}`);
  const python = join(folder, "bin", "python");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return python;
  await mkdir(CACHE, { recursive: true });
  await using _lock = await acquire(`${folder}.lock`);
  if (existsSync(complete)) return python;
  process.stderr.write(`Installing the packages of ${requirementsFile} into a virtual environment, once.\n`);
  await rm(folder, { recursive: true, force: true });
  await run(await systemPython(), ["-m", "venv", folder]);
  await install(python, requirements);
  await writeFile(complete, "");
  return python;
}

/** Its own words reach the person who waits. */
async function install(python: string, requirements: string): Promise<void> {
  const words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r", requirements];
  const child = spawn(python, words, { stdio: ["ignore", process.stderr, process.stderr] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`pip could not install ${requirements}: see what it wrote above.`);
}

async function systemPython(): Promise<string> {
  for (const name of PYTHON_NAMES) {
    const minor = await minorVersion(name);
    if (minor !== null && minor >= OLDEST_MINOR && minor <= NEWEST_MINOR) return name;
  }
  throw new Error(`No Python from 3.${OLDEST_MINOR} to 3.${NEWEST_MINOR} with venv was found: install one.`);
}

/** Of a Python 3 that can make virtual environments; otherwise null. */
async function minorVersion(name: string): Promise<number | null> {
  try {
    const { stdout } = await run(name, ["-c", "import sys, venv, ensurepip; print(sys.version_info[1])"]);
    return Number(stdout);
  } catch {
    return null;
  }
}

/** Several test files may ask at once: a folder is made by one of them. */
async function acquire(lock: string): Promise<AsyncDisposable> {
  for (;;) {
    try {
      await mkdir(lock);
      return { [Symbol.asyncDispose]: () => rm(lock, { recursive: true, force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const made = await stat(lock).catch(() => null);
    if (made !== null && Date.now() - made.mtimeMs > LOCK_EXPIRES_MS) await rm(lock, { recursive: true, force: true });
    await sleep(200);
  }
}
