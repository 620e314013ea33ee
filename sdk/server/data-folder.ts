/**
 * The folder that holds everything a server keeps. At most one server uses a folder:
 *
 * - the launcher holds a kernel lock (an SQLite transaction that never ends) which dies with it, whatever kills it;
 * - the engine of a launcher that was killed is found by number and start time, and killed before its files are used.
 */
import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ServerError } from "./errors.ts";
import { identify, killAndWait, type ProcessIdentity } from "./process-identity.ts";
import type { Program } from "./program.ts";

/** How long a leftover engine may take to die of SIGKILL. */
const ORPHAN_TIMEOUT_MS = 5_000;

/** What is kept where. */
export interface DataPaths {
  readonly root: string;
  /** The generated configuration with its secrets, and the bundle that is being run. */
  readonly engine: string;
  readonly d1: string;
  readonly objects: string;
  readonly queues: string;
  readonly cron: string;
  readonly log: string;
  /** The key with which secrets are kept. Whoever copies the folder elsewhere copies it too. */
  readonly encryptionKeys: string;
}

export class DataFolder {
  readonly paths: DataPaths;
  /** The schema that was applied last; null in a new folder. */
  readonly schema: string | null;
  readonly #lock: DatabaseSync;

  private constructor(paths: DataPaths, schema: string | null, lock: DatabaseSync) {
    this.paths = paths;
    this.schema = schema;
    this.#lock = lock;
  }

  /** Makes the folder if need be, and takes it. Throws `data_folder_locked`, `data_folder_unusable`, `schema_newer`. */
  static async open(path: string, program: Program): Promise<DataFolder> {
    const paths = pathsIn(resolve(path));
    const lock = takeLock(paths);
    try {
      const schema = readSchema(paths, program);
      await endOrphan(paths);
      for (const folder of [paths.engine, paths.d1, paths.objects, paths.queues, paths.cron]) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
      }
      return new DataFolder(paths, schema, lock);
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** Remembers the engine, so that whoever opens the folder next can end it if this process cannot. */
  recordEngine(pid: number): void {
    const identity = identify(pid);
    if (identity !== null) replaceFile(engineFile(this.paths), JSON.stringify(identity));
  }

  /** Remembers the address, for the error of a second server on this folder. */
  recordServer(origin: string): void {
    replaceFile(join(this.paths.root, "server.json"), JSON.stringify({ pid: process.pid, origin }));
  }

  recordSchema(program: Program): void {
    const { schema, version } = program;
    replaceFile(join(this.paths.root, "schema.json"), `${JSON.stringify({ schema, version }, null, 2)}\n`);
  }

  /**
   * Copies D1, if there is one. The copy of an interrupted attempt is kept in favour of a new one, because it shows the
   * state before the first attempt.
   */
  backUpD1(): void {
    const copy = this.#backup;
    if (existsSync(copy) || readdirSync(this.paths.d1).length === 0) return;
    rmSync(`${copy}.partial`, { recursive: true, force: true });
    cpSync(this.paths.d1, `${copy}.partial`, { recursive: true, mode: constants.COPYFILE_FICLONE });
    renameSync(`${copy}.partial`, copy);
  }

  /** Puts the copy back, if one was made. The engine must not be running. */
  restoreD1(): void {
    if (!existsSync(this.#backup)) return;
    rmSync(this.paths.d1, { recursive: true, force: true });
    renameSync(this.#backup, this.paths.d1);
  }

  dropBackup(): void {
    rmSync(this.#backup, { recursive: true, force: true });
  }

  /** Lets the folder go. The engine must have ended. */
  close(): void {
    rmSync(engineFile(this.paths), { force: true });
    rmSync(join(this.paths.root, "server.json"), { force: true });
    this.#lock.close();
  }

  get #backup(): string {
    return join(this.paths.root, `d1-before-migration-from-${this.schema ?? "nothing"}`);
  }
}

function pathsIn(root: string): DataPaths {
  return {
    root,
    engine: join(root, "engine"),
    d1: join(root, "d1"),
    objects: join(root, "objects"),
    queues: join(root, "queues"),
    cron: join(root, "cron"),
    log: join(root, "server.log"),
    encryptionKeys: join(root, "encryption-keys"),
  };
}

function engineFile(paths: DataPaths): string {
  return join(paths.root, "engine.json");
}

function takeLock(paths: DataPaths): DatabaseSync {
  try {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unusable(paths, cause);
  }
  let lock: DatabaseSync | null = null;
  try {
    lock = new DatabaseSync(join(paths.root, "lock.sqlite"), { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock?.close();
    if (!/locked|busy/i.test(String(cause))) throw unusable(paths, cause);
    const holder = readJson<{ pid: number; origin: string }>(join(paths.root, "server.json"));
    const who = holder === null ? "" : ` (process ${holder.pid}, ${holder.origin})`;
    throw new ServerError("data_folder_locked", `The data folder ${paths.root} is used by another server${who}.`, {
      fix: "Stop that server, or give this one a folder of its own: --data DIR",
      cause,
    });
  }
}

function unusable(paths: DataPaths, cause: unknown): ServerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServerError("data_folder_unusable", `The data folder ${paths.root} cannot be used: ${reason}.`, {
    fix: "Give a folder that this user may write to: --data DIR",
    cause,
  });
}

function readSchema(paths: DataPaths, program: Program): string | null {
  const applied = readJson<{ schema: string; version: string }>(join(paths.root, "schema.json"));
  if (applied === null || program.schemas.includes(applied.schema)) return applied?.schema ?? null;
  throw new ServerError(
    "schema_newer",
    `The data folder ${paths.root} has the schema ${applied.schema} of Sluice ${applied.version}, which is newer than this program (${program.version}, schema ${program.schema}).`,
    { fix: `Run Sluice ${applied.version} or newer, or give another folder: --data DIR` },
  );
}

async function endOrphan(paths: DataPaths): Promise<void> {
  const orphan = readJson<ProcessIdentity>(engineFile(paths));
  if (orphan === null || (await killAndWait(orphan, ORPHAN_TIMEOUT_MS))) return;
  throw new ServerError(
    "data_folder_locked",
    `The data folder ${paths.root} is in use by process ${orphan.pid}, left behind by a server that was killed.`,
    { fix: `End that process: kill -9 ${orphan.pid}` },
  );
}

/** Null if there is no such file, or only half of one. */
function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Never leaves half a file. */
function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
