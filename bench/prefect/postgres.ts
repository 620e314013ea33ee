/** A PostgreSQL cluster of our own, in a temporary folder on a free port, with the settings of the distribution. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, until } from "../substrate/start.ts";

const run = promisify(execFile);
const DEBIAN_FOLDER = "/usr/lib/postgresql";

export interface Postgres extends AsyncDisposable {
  /** As SQLAlchemy takes it. */
  readonly url: string;
  readonly version: string;
  readonly pid: number;
}

/** Answers null where PostgreSQL is not installed (Debian: the package `postgresql`). */
export async function startPostgres(): Promise<Postgres | null> {
  const bin = await programs();
  if (bin === null) return null;
  const folder = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? await ordinaryUser() : null;
  if (user !== null) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  await run(join(bin, "initdb"), ["-D", data, "-U", "prefect", "--auth=trust", "--encoding=UTF8"], user ?? {});
  const port = await freePort();
  const words = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder];
  const child = spawn(join(bin, "postgres"), words, { ...user, stdio: "ignore", detached: true });
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    // A fast shutdown: it does not wait for its clients.
    if (child.exitCode === null && child.kill("SIGINT")) await gone;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const address = ["-h", "127.0.0.1", "-p", String(port), "-U", "prefect"];
    await until(async () => Boolean(await run(join(bin, "pg_isready"), address)), 30_000, "PostgreSQL is ready");
    await run(join(bin, "createdb"), [...address, "prefect"]);
    const { stdout } = await run(join(bin, "postgres"), ["--version"]);
    return {
      url: `postgresql+asyncpg://prefect@127.0.0.1:${port}/prefect`,
      version: /[\d.]+/.exec(stdout)?.[0] ?? "?",
      pid: child.pid ?? 0,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function programs(): Promise<string | null> {
  const versions = await readdir(DEBIAN_FOLDER).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  const bin = newest === undefined ? null : join(DEBIAN_FOLDER, String(newest), "bin");
  return bin !== null && existsSync(join(bin, "initdb")) ? bin : null;
}

async function ordinaryUser(): Promise<{ readonly uid: number; readonly gid: number }> {
  for (const name of ["postgres", "nobody"]) {
    const found = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]).catch(() => null);
    if (found !== null) return { uid: Number(found[0].stdout), gid: Number(found[1].stdout) };
  }
  throw new Error("PostgreSQL does not run as root, and there is no user postgres or nobody.");
}
