/** Results in a folder of this machine. Node's modules are asked of the runtime, since this file loads everywhere. */
import { type Duration, parseDuration } from "../duration.ts";
import { folderLocks } from "./folder-locks.ts";
import type { ResultStorage } from "./storage.ts";

/** How a folder is kept tidy. */
export interface LocalFolderOptions {
  /** What was not written for so long is deleted, looked for once a day. Default "30d". */
  readonly keepFor?: Duration;
}

interface FileSystem {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  readFile(path: string): Promise<Uint8Array>;
  writeFile(path: string, bytes: Uint8Array, options: { mode: number }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean; recursive?: boolean }): Promise<void>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ readonly mtimeMs: number }>;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const KEY = /^[\w.-]+(?:\/[\w.-]+)*$/;

/** Keeps each result as a file below a folder, which is made when it is needed. Throws where there are no files. */
export function localFolder(path: string, { keepFor = "30d" }: LocalFolderOptions = {}): ResultStorage {
  const keepMs = parseDuration(keepFor, 'localFolder option "keepFor"');
  const files = fileSystem();
  const made = new Set<string>();
  let isSwept = false;

  const fileOf = (key: string): string => {
    if (!KEY.test(key) || key.split("/").some((part) => /^\.+$/.test(part))) {
      throw new TypeError(`The key ${JSON.stringify(key)} cannot be a file's name.`);
    }
    return `${path}/${key}`;
  };
  return {
    async read(key) {
      try {
        return await files.readFile(fileOf(key));
      } catch (error) {
        if (codeOf(error) === "ENOENT") return null;
        throw error;
      }
    },
    async write(key, bytes) {
      const file = fileOf(key);
      const folder = file.slice(0, file.lastIndexOf("/"));
      if (!made.has(folder)) await files.mkdir(folder, { recursive: true });
      made.add(folder);
      const part = `${file}.${crypto.randomUUID()}.part`;
      // Results are for their owner's eyes only.
      await files.writeFile(part, bytes, { mode: 0o600 });
      await files.rename(part, file);
      // Nobody waits for it; what it does not get done is left to the next process.
      if (!isSwept) sweep(files, path, keepMs).catch(() => undefined);
      isSwept = true;
    },
    delete: (key) => files.rm(fileOf(key), { force: true }),
    locks: folderLocks(`${path}/locks`),
  };
}

/**
 * Deletes what nobody wrote to for a while, two levels down: the folders of runs, and single results of caches. Once a
 * day, whatever the number of processes: looking at many thousands of runs takes a while.
 */
async function sweep(files: FileSystem, path: string, keepMs: number): Promise<void> {
  const now = Date.now();
  const before = now - keepMs;
  const mark = `${path}/.swept`;
  const last = await files.stat(mark).catch(() => null);
  if (last !== null && last.mtimeMs > now - Math.min(keepMs, DAY_MS)) return;
  for (const kind of await files.readdir(path).catch(() => [])) {
    for (const name of await files.readdir(`${path}/${kind}`).catch(() => [])) {
      const found = await files.stat(`${path}/${kind}/${name}`).catch(() => null);
      if (found !== null && found.mtimeMs < before) {
        // Another process may be sweeping the same folder.
        await files.rm(`${path}/${kind}/${name}`, { force: true, recursive: true }).catch(() => undefined);
      }
    }
  }
  await files.writeFile(mark, new Uint8Array(), { mode: 0o600 });
}

/** The files of a folder, which is made when it is needed, as the user's own: readable as such, and never deleted by age. */
export function localFiles(path: string): ResultStorage {
  const files = fileSystem();
  const fileOf = (name: string): string => {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.length > 0 && !parts.includes("..") && !name.includes("\0")) return `${path}/${parts.join("/")}`;
    throw new TypeError(`The path ${JSON.stringify(name)} does not lead to a file within ${path}.`);
  };
  return {
    async read(name) {
      try {
        return await files.readFile(fileOf(name));
      } catch (error) {
        if (codeOf(error) === "ENOENT") return null;
        throw error;
      }
    },
    async write(name, bytes) {
      const file = fileOf(name);
      await files.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      const part = `${file}.${crypto.randomUUID()}.part`;
      await files.writeFile(part, bytes, { mode: 0o644 });
      await files.rename(part, file);
    },
    delete: (name) => files.rm(fileOf(name), { force: true }),
  };
}

function fileSystem(): FileSystem {
  const load = globalThis.process?.getBuiltinModule as ((name: string) => FileSystem | undefined) | undefined;
  const files = load?.("node:fs/promises");
  if (files) return files;
  throw new Error("localFolder() needs a runtime with files. Keep results elsewhere, e.g. in memoryStorage().");
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
