/**
 * The servers that are measured beside each other: ours, and `prefect server start` on SQLite and on PostgreSQL. All run at
 * once, so that rounds can be interleaved; those that are not being measured are frozen, so that what one still has to
 * do from its last round does not slow another.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPrefect } from "../../test/prefect/servers.ts";
import { cpuSeconds, family, proportionalMb } from "../process-tree.ts";
import { startMeasuredServer } from "../server.ts";
import { startPostgres } from "./postgres.ts";

export type ContenderName = "ours" | "prefect sqlite" | "prefect postgres";

export interface Contender {
  readonly name: ContenderName;
  readonly origin: string;
  /** For SQLAlchemy; null for ours. */
  readonly databaseUrl: string | null;
  memoryMb(): Promise<number>;
  cpuSeconds(): Promise<number>;
}

export interface Contenders extends AsyncDisposable {
  readonly all: readonly Contender[];
  /** Does something with one of them while the others stand still. */
  alone<T>(contender: Contender, act: () => Promise<T>): Promise<T>;
}

interface Started extends Contender {
  /** Their descendants are theirs too. */
  readonly pids: readonly number[];
}

/** `dataFolder` of ours: by default a new one. Without PostgreSQL on this machine there are two contenders. */
export async function startContenders(dataFolder?: string): Promise<Contenders> {
  const stack = new AsyncDisposableStack();
  try {
    const all: Started[] = [
      await startOurs(stack, dataFolder),
      await startOnSqlite(stack),
      ...(await startOnPostgres(stack)),
    ];
    endWithThisProcess(stack, all);
    return {
      all,
      async alone(contender, act) {
        const others = all.filter((other) => other !== contender);
        for (const other of others) await signal(other, "SIGSTOP");
        try {
          return await act();
        } finally {
          for (const other of others) await signal(other, "SIGCONT");
        }
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function startOurs(stack: AsyncDisposableStack, dataFolder?: string): Promise<Started> {
  const server = stack.use(await startMeasuredServer(dataFolder));
  return contender("ours", server.origin, null, [server.pid]);
}

async function startOnSqlite(stack: AsyncDisposableStack): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-prefect-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const url = `sqlite+aiosqlite:///${join(folder, "prefect.db")}`;
  const server = stack.use(await startPrefect({ env: { PREFECT_SERVER_DATABASE_CONNECTION_URL: url } }));
  return contender("prefect sqlite", new URL(server.apiUrl).origin, url, [server.pid]);
}

async function startOnPostgres(stack: AsyncDisposableStack): Promise<Started[]> {
  const postgres = await startPostgres();
  if (postgres === null) return [];
  stack.use(postgres);
  const { url } = postgres;
  const server = stack.use(await startPrefect({ env: { PREFECT_SERVER_DATABASE_CONNECTION_URL: url } }));
  return [contender("prefect postgres", new URL(server.apiUrl).origin, url, [server.pid, postgres.pid])];
}

/** When this process is interrupted, nothing is left behind, frozen or not. */
function endWithThisProcess(stack: AsyncDisposableStack, all: readonly Started[]): void {
  const end = async (): Promise<void> => {
    for (const started of all) await signal(started, "SIGCONT");
    await stack.disposeAsync();
    process.exit(130);
  };
  const listener = (): void => void end();
  process.once("SIGINT", listener).once("SIGTERM", listener);
  stack.defer(() => {
    process.off("SIGINT", listener).off("SIGTERM", listener);
  });
}

function contender(name: ContenderName, origin: string, databaseUrl: string | null, pids: readonly number[]): Started {
  const sum = async (measure: (pid: number) => Promise<number>): Promise<number> =>
    (await Promise.all(pids.map(measure))).reduce((total, value) => total + value, 0);
  return {
    name,
    origin,
    databaseUrl,
    pids,
    memoryMb: () => sum(proportionalMb),
    cpuSeconds: () => sum(cpuSeconds),
  };
}

async function signal({ pids }: Started, name: "SIGSTOP" | "SIGCONT"): Promise<void> {
  for (const root of pids) {
    for (const pid of await family(root)) {
      try {
        process.kill(pid, name);
      } catch (error) {
        // It ended between the look and the signal.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }
}
