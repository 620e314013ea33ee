/** The embedded server: the Worker on this machine, with its data in a folder. */
import { randomBytes } from "node:crypto";
import { DataFolder } from "./data-folder.ts";
import { DEFAULT_DATA_DIR, DEFAULT_HOST, DEFAULT_PORT } from "./defaults.ts";
import { serveEgress } from "./egress.ts";
import { encryptionKeys } from "./encryption-keys.ts";
import { type Engine, prepareWorkerd, type RunningEngine } from "./engine.ts";
import { ServerError } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { allowedHosts, checkExposure, checkFileLimit, checkPort, isWildcard, readHost } from "./preflight.ts";
import { type Program, readProgram } from "./program.ts";
import { waitUntilServing } from "./ready.ts";
import { RotatingLog } from "./rotating-log.ts";
import { superviseEngine } from "./supervise.ts";

export interface ServerOptions {
  /** An IP address or "localhost". 127.0.0.1 by default; any other than loopback needs `rootKey`. */
  readonly host?: string;
  /** 0 takes any free one. 4200 by default. */
  readonly port?: number;
  /** Made if it does not exist. `.sluice` in the current folder by default. */
  readonly dataDir?: string;
  /** Required of every request, where given. */
  readonly rootKey?: string;
  /** Master keys for secrets of blocks, as SLUICE_ENCRYPTION_KEYS. By default one that is made and kept in the folder. */
  readonly encryptionKeys?: string;
  /** Names, beside its own addresses, under which the server is called. */
  readonly allowedHosts?: readonly string[];
  /** How often a running flow shows that it is alive; wrangler.toml has the default. */
  readonly heartbeatMs?: number;
  /** For how many days things are kept, 0 for ever; wrangler.toml has the defaults. */
  readonly retentionDays?: RetentionDays;
  /** What is run; by default this package's own build. */
  readonly program?: Program;
  /** What a person who looks after the server should see: errors of the Worker, restarts of the engine. */
  readonly onReport?: (line: string) => void;
}

export interface RetentionDays {
  /** Since a run's end. */
  readonly runs?: number;
  readonly events?: number;
  /** Since a worker was last seen. */
  readonly workers?: number;
  readonly deadLetters?: number;
  /** Since a key was revoked or expired. */
  readonly keys?: number;
}

export interface RunningServer {
  /** E.g. "http://127.0.0.1:4200": the UI. */
  readonly origin: string;
  readonly apiUrl: string;
  readonly dataDir: string;
  readonly version: string;
  /** Settles when the server has ended: null after `stop`, else why it gave up. */
  readonly ended: Promise<ServerError | null>;
  /** Lets requests under way finish, for a few seconds. Answers when everything has ended. */
  stop(): Promise<void>;
  /** Ends everything at once. Acknowledged writes are kept. */
  kill(): void;
}

/** Answers when `GET /api/health` says 200. Throws a `ServerError` that says what is wrong and what to do. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const ip = readHost(options.host ?? DEFAULT_HOST);
  const port = options.port ?? DEFAULT_PORT;
  checkExposure(ip, options.rootKey);
  checkFileLimit();
  const program = options.program ?? readProgram();
  const folder = await DataFolder.open(options.dataDir ?? DEFAULT_DATA_DIR, program);
  let running: RunningEngine | null = null;
  try {
    // After the folder, whose leftover engine may be what holds the port.
    if (port !== 0) await checkPort(ip, port);
    if (folder.schema !== program.schema) folder.backUpD1();
    const log = new RotatingLog(folder.paths.log);
    const bootToken = randomBytes(32).toString("hex");
    const engine = prepareWorkerd({
      program,
      paths: folder.paths,
      variables: {
        ...variablesOf(ip, bootToken, program, options),
        SLUICE_ENCRYPTION_KEYS: encryptionKeys(folder.paths.encryptionKeys, options.encryptionKeys),
      },
      onLine({ text, isError }) {
        log.write(text);
        if (isError) options.onReport?.(text);
      },
    });
    const recorded = recordingEngine(engine, folder);
    running = await recorded.start({ ip, port: port === 0 ? null : port });
    const origin = originOf(ip, running.port);
    folder.recordServer(origin);
    await bringToSchema(origin, running, { bootToken, program, folder });
    const supervised = superviseEngine({
      engine: recorded,
      running,
      address: { ip, port: running.port },
      waitUntilServing: async (restarted) => void (await waitUntilServing(origin, restarted)),
      report(line) {
        log.write(line);
        options.onReport?.(line);
      },
    });
    const egress = serveEgress(origin, bootToken);
    return {
      origin,
      apiUrl: `${origin}/api`,
      dataDir: folder.paths.root,
      version: program.version,
      ended: supervised.ended.finally(() => {
        egress.stop();
        folder.close();
      }),
      stop: () => {
        egress.stop();
        return supervised.stop();
      },
      kill: () => supervised.kill(),
    };
  } catch (error) {
    await running?.stop();
    if (error instanceof ServerError && error.code === "migration_failed") folder.restoreD1();
    folder.close();
    throw error;
  }
}

/** Remembers every engine that starts in the folder, also those that replace a crashed one. */
function recordingEngine(engine: Engine, folder: DataFolder): Engine {
  return {
    async start(address) {
      const running = await engine.start(address);
      folder.recordEngine(running.pid);
      return running;
    },
  };
}

async function bringToSchema(
  origin: string,
  running: RunningEngine,
  { bootToken, program, folder }: { bootToken: string; program: Program; folder: DataFolder },
): Promise<void> {
  if ((await waitUntilServing(origin, running)) === "migrate") {
    await migrate(origin, bootToken, program);
    if ((await waitUntilServing(origin, running)) === "migrate") {
      throw new ServerError(
        "migration_failed",
        `The Worker does not see the schema ${program.schema} after it was applied.`,
        {
          fix: "Build again (npm run build): the Worker and its migrations are not of one version.",
        },
      );
    }
  }
  if (folder.schema !== program.schema) folder.recordSchema(program);
  folder.dropBackup();
}

function variablesOf(ip: string, bootToken: string, program: Program, options: ServerOptions): Record<string, string> {
  return {
    SLUICE_MODE: "embedded",
    // One object: on one machine more objects mean smaller commits.
    SLUICE_SHARDS: "1",
    SLUICE_BOOT_TOKEN: bootToken,
    SLUICE_ALLOWED_HOSTS: allowedHosts(ip, options.allowedHosts ?? []).join(","),
    SLUICE_VERSION: program.version,
    ...(options.rootKey ? { SLUICE_ROOT_KEY: options.rootKey } : {}),
    ...(options.heartbeatMs === undefined ? {} : { SLUICE_HEARTBEAT_MS: String(options.heartbeatMs) }),
    ...retentionVariables(options.retentionDays ?? {}),
  };
}

function retentionVariables({ runs, events, workers, deadLetters, keys }: RetentionDays): Record<string, string> {
  const given = {
    SLUICE_RUN_RETENTION_DAYS: runs,
    SLUICE_EVENT_RETENTION_DAYS: events,
    SLUICE_WORKER_RETENTION_DAYS: workers,
    SLUICE_DEAD_LETTER_RETENTION_DAYS: deadLetters,
    SLUICE_KEY_RETENTION_DAYS: keys,
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, days]) => (days === undefined ? [] : [[name, String(days)]])),
  );
}

/** The address to call from this machine. */
function originOf(ip: string, port: number): string {
  const reachable = isWildcard(ip) ? "127.0.0.1" : ip;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
