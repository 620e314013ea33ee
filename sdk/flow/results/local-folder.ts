/** Results in a folder of this machine. Node's modules are asked of the runtime, since this file loads everywhere. */
import { type Duration, parseDuration } from "../duration.ts";
import type { ResultStorage } from "./storage.ts";

export interface LocalFolderOptions {
  /** What was not written for so long is deleted, looked for once in the life of a process. Default "30d". */
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

const KEY = /^[\w.-]+(?:\/[\w.-]+)*$/;

/** Keeps each result as a file below a folder, which is made when it is needed. Throws where there are no files. */
export function localFolder(path: string, { keepFor = "30d" }: LocalFolderOptions = {}): ResultStorage {
  const keepMs = parseDuration(keepFor, 'localFolder option "keepFor"');
  const files = fileSystem();
  const made = new Set<string>();
  let swept: Promise<void> | null = null;

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
      swept ??= sweep(files, path, keepMs);
      await swept;
    },
    delete: (key) => files.rm(fileOf(key), { force: true }),
  };
}

/** Deletes what nobody wrote to for a while, two levels down: the folders of runs, and single results of caches. */
async function sweep(files: FileSystem, path: string, keepMs: number): Promise<void> {
  const before = Date.now() - keepMs;
  for (const kind of await files.readdir(path).catch(() => [])) {
    for (const name of await files.readdir(`${path}/${kind}`).catch(() => [])) {
      const found = await files.stat(`${path}/${kind}/${name}`).catch(() => null);
      if (found !== null && found.mtimeMs < before) {
        // Another process may be sweeping the same folder.
        await files.rm(`${path}/${kind}/${name}`, { force: true, recursive: true }).catch(() => undefined);
      }
    }
  }
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
