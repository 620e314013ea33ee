/** `sluice server start` */
import { DEFAULT_DATA_DIR, DEFAULT_HOST, DEFAULT_PORT } from "../../../server/defaults.ts";
import type { RetentionDays, RunningServer } from "../../../server/start.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { integer, text, withDefault } from "../../parameters.ts";

export const serverStart = defineCommand({
  noun: "server",
  verb: "start",
  summary: "Run the control plane on this machine.",
  arguments: {},
  options: {
    host: withDefault(
      text("The address to listen on. Any but this machine's own needs SLUICE_ROOT_KEY.", {
        placeholder: "ip",
        env: "SLUICE_HOST",
      }),
      DEFAULT_HOST,
    ),
    port: withDefault(
      integer("The port to listen on; 0 takes any free one.", { max: 65_535, placeholder: "port", env: "SLUICE_PORT" }),
      DEFAULT_PORT,
    ),
    data: withDefault(
      text("The folder that holds everything the server keeps.", { placeholder: "folder", env: "SLUICE_DATA_DIR" }),
      DEFAULT_DATA_DIR,
    ),
  },
  examples: ["sluice server start --port 4300 --data ./sluice-data"],
  async run({ options, output }) {
    const {
      SLUICE_ROOT_KEY: rootKey,
      SLUICE_ENCRYPTION_KEYS: encryptionKeys,
      SLUICE_ALLOWED_HOSTS: hosts = "",
    } = process.env;
    const heartbeatMs = readHeartbeat(process.env["SLUICE_HEARTBEAT_MS"]);
    const retentionDays = readRetention(process.env);
    const signals = listenForSignals();
    let server: RunningServer | null = null;
    let isCut = false;
    void signals.second.then(() => {
      isCut = true;
      if (server === null) process.exit(EXIT.interrupted);
      else server.kill();
    });
    const { startServer } = await import("../../../server/start.ts");
    server = await startServer({
      host: options.host,
      port: options.port,
      dataDir: options.data,
      ...(rootKey ? { rootKey } : {}),
      ...(encryptionKeys ? { encryptionKeys } : {}),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      retentionDays,
      allowedHosts: hosts
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
      onReport: (line) => process.stderr.write(`${line}\n`),
    });
    const { origin, apiUrl, dataDir, version } = server;
    output.event(
      { event: "ready", ui_url: origin, api_url: apiUrl, data_dir: dataDir, version, pid: process.pid },
      `Sluice ${version} is ready.\n  UI    ${origin}\n  API   ${apiUrl}\n  data  ${dataDir}\n  stop  Ctrl-C`,
    );
    const exitCode = await untilEnded(server, signals, (line) => output.note(line));
    return isCut ? EXIT.interrupted : exitCode;
  },
});

/** The first signal asks for an orderly end, the second for one at once. */
interface Signals {
  readonly first: Promise<NodeJS.Signals>;
  readonly second: Promise<NodeJS.Signals>;
}

function listenForSignals(): Signals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  let heard = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      heard += 1;
      if (heard === 1) first.resolve(name);
      else second.resolve(name);
    });
  }
  return { first: first.promise, second: second.promise };
}

async function untilEnded(server: RunningServer, signals: Signals, note: (line: string) => void): Promise<ExitCode> {
  const signal = await Promise.race([signals.first, server.ended.then(() => null)]);
  if (signal === null) {
    const reason = await server.ended;
    if (reason !== null) throw reason;
    return EXIT.ok;
  }
  note(`Stopping (${signal}); once more ends it at once.`);
  await server.stop();
  return EXIT.ok;
}

/** Nothing is kept for shorter than was meant because of a slip: what is not a number of days stops the start. */
function readRetention(environment: NodeJS.ProcessEnv): RetentionDays {
  const days = (name: string): number | undefined => {
    const given = environment[name]?.trim();
    if (!given) return undefined;
    const value = Number(given);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new CliError(`${name} is "${given}", which is not a number of days of at least 0.`, {
      fix: `Unset it, or give days: ${name}=30 (0 keeps for ever)`,
    });
  };
  const given = {
    runs: days("SLUICE_RUN_RETENTION_DAYS"),
    events: days("SLUICE_EVENT_RETENTION_DAYS"),
    workers: days("SLUICE_WORKER_RETENTION_DAYS"),
    deadLetters: days("SLUICE_DEAD_LETTER_RETENTION_DAYS"),
    keys: days("SLUICE_KEY_RETENTION_DAYS"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function readHeartbeat(given: string | undefined): number | undefined {
  if (!given) return undefined;
  const heartbeatMs = Number(given);
  if (Number.isSafeInteger(heartbeatMs) && heartbeatMs >= 50) return heartbeatMs;
  throw new CliError(`SLUICE_HEARTBEAT_MS is "${given}", which is not a whole number of milliseconds of at least 50.`, {
    fix: "Unset it, or give milliseconds: SLUICE_HEARTBEAT_MS=10000",
  });
}
