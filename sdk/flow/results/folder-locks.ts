/** Locks between the processes of one machine, as files of a folder. Node's modules are asked of the runtime. */
import { pause } from "../../client/jitter.ts";
import { type Duration, parseDuration } from "../duration.ts";
import type { LockManager } from "./locks.ts";

/** How a lock of a folder is held. */
export interface FolderLocksOptions {
  /** A lock whose holder has not shown itself alive for so long is taken over. Default "30s". */
  readonly lease?: Duration;
}

interface FileSystem {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  writeFile(path: string, text: string, options: { flag: "wx"; mode: number }): Promise<void>;
  rm(path: string, options: { force: boolean }): Promise<void>;
  stat(path: string): Promise<{ readonly mtimeMs: number }>;
  utimes(path: string, at: Date, modified: Date): Promise<void>;
}

const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 200;

/**
 * Locks with files below a folder, which is made when it is needed: callers of all processes that use the folder wait for
 * each other. A holder renews its lock while it has it; when its process dies, the lock is taken over after the lease.
 * For folders of this machine: on a network drive, creating a file may not be exclusive. Throws where there are no files.
 */
export function folderLocks(path: string, { lease = "30s" }: FolderLocksOptions = {}): LockManager {
  const leaseMs = parseDuration(lease, 'folderLocks option "lease"');
  const files = fileSystem();

  const isStale = async (file: string): Promise<boolean> => {
    const found = await files.stat(file).catch(() => null);
    return found !== null && found.mtimeMs < Date.now() - leaseMs;
  };
  const create = async (file: string, token: string): Promise<boolean> => {
    try {
      await files.writeFile(file, token, { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    }
  };
  /** Only one takes a lock away, and looks once more before: another may have taken it over meanwhile. */
  const takeOver = async (file: string, token: string): Promise<boolean> => {
    const right = `${file}.taking`;
    if (!(await create(right, token))) {
      if (await isStale(right)) await files.rm(right, { force: true });
      return false;
    }
    try {
      if (!(await isStale(file))) return false;
      await files.rm(file, { force: true });
      return await create(file, token);
    } finally {
      await files.rm(right, { force: true });
    }
  };

  return {
    async acquire(key, signal) {
      const file = `${path}/${key.replaceAll(/[^\w.-]/g, "-")}.lock`;
      const token = crypto.randomUUID();
      await files.mkdir(path, { recursive: true });
      for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 1.5, LAST_LOOK_MS)) {
        signal.throwIfAborted();
        if (await create(file, token)) break;
        if ((await isStale(file)) && (await takeOver(file, token))) break;
        await pause(waitMs * (0.5 + Math.random()), signal);
      }
      const isMine = async (): Promise<boolean> => (await files.readFile(file, "utf8").catch(() => null)) === token;
      const renew = async (): Promise<void> => {
        if (await isMine()) await files.utimes(file, new Date(), new Date());
      };
      const timer = setInterval(() => void renew().catch(() => undefined), leaseMs / 3);
      return async () => {
        clearInterval(timer);
        if (await isMine()) await files.rm(file, { force: true });
      };
    },
  };
}

function fileSystem(): FileSystem {
  const load = globalThis.process?.getBuiltinModule as ((name: string) => FileSystem | undefined) | undefined;
  const files = load?.("node:fs/promises");
  if (files) return files;
  throw new Error("folderLocks() needs a runtime with files. Lock elsewhere, e.g. with memoryLocks().");
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
