/** What is checked before anything is started, because it would fail late and unclearly otherwise. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, createServer, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { portInUse } from "./engine.ts";
import { ServerError } from "./errors.ts";

/** A live object has three files open, besides the engine's own. */
const MIN_OPEN_FILES = 4_096;
/** How long a port is asked whether somebody listens there. */
const PROBE_MS = 1_000;
const LAST_PRIVILEGED_PORT = 1_023;

/** The IP address that a `--host` means. Throws `address_invalid`. */
export function readHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (bare === "localhost") return "127.0.0.1";
  if (isIP(bare) !== 0) return bare;
  throw new ServerError("address_invalid", `The host "${host}" is not an IP address.`, {
    fix: "Give the address to listen on, e.g. --host 127.0.0.1, or --host 0.0.0.0 for all of this machine's.",
  });
}

export function isLoopback(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

export function isWildcard(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}

/** A server that others can reach is never open. Throws `root_key_required`. */
export function checkExposure(ip: string, rootKey: string | undefined): void {
  if (isLoopback(ip) || rootKey) return;
  throw new ServerError(
    "root_key_required",
    `The address ${ip} can be reached from other machines, and no root key is set, so everybody could run code here.`,
    { fix: "Set SLUICE_ROOT_KEY to a long random text (openssl rand -hex 32), or listen on 127.0.0.1." },
  );
}

/**
 * The names that requests may carry for `ip`: as configured, and its own addresses. A number cannot be pointed elsewhere
 * by somebody's name server, so this machine's addresses are safe to allow.
 */
export function allowedHosts(ip: string, configured: readonly string[]): string[] {
  const own = isWildcard(ip)
    ? Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address))
    : [ip];
  return [...configured, ...own.map((address) => (address.includes(":") ? `[${address}]` : address))];
}

/** Throws `file_limit_too_low`. The soft limit does not matter: the engine raises its own. */
export function checkFileLimit(): void {
  const limit = hardFileLimit();
  if (limit >= MIN_OPEN_FILES) return;
  throw new ServerError(
    "file_limit_too_low",
    `This process may open ${limit} files at most; the server needs ${MIN_OPEN_FILES}.`,
    {
      fix: "Raise the hard limit: `ulimit -Hn 65536` as root, LimitNOFILE=65536 (systemd), or --ulimit nofile=65536 (Docker).",
    },
  );
}

function hardFileLimit(): number {
  if (process.platform === "win32") return Number.POSITIVE_INFINITY;
  const shown =
    process.platform === "linux"
      ? /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]
      : spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim();
  // "unlimited", or a system that does not tell.
  return /^\d+$/.test(shown ?? "") ? Number(shown) : Number.POSITIVE_INFINITY;
}

/**
 * Throws `port_in_use` or `address_invalid`. The engine would find out as well, but only after the data folder was opened.
 *
 * The port is asked, not listened on: a client that waits for the server to come back would be connected to whatever
 * listens, and Prefect's task workers end when such a connection is not answered. Only a port that needs a privilege is
 * tried out.
 */
export async function checkPort(ip: string, port: number): Promise<void> {
  if (await isAnswered(isWildcard(ip) ? (isIP(ip) === 6 ? "::1" : "127.0.0.1") : ip, port)) throw portInUse(port, null);
  await listenBriefly(ip, port <= LAST_PRIVILEGED_PORT ? port : 0);
}

/** Whether somebody accepts connections there. Who does not say so in time is left for the engine to find out. */
function isAnswered(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: ip, port });
    const settle = (answered: boolean): void => {
      probe.destroy();
      resolve(answered);
    };
    probe.setTimeout(PROBE_MS, () => settle(false));
    probe.once("connect", () => settle(true));
    probe.once("error", () => settle(false));
  });
}

function listenBriefly(ip: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer((socket) => socket.destroy());
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EADDRINUSE") return reject(portInUse(port, cause));
      const allowed = cause.code === "EACCES" ? "Choose a port above 1023." : "Choose an address of this machine.";
      reject(
        new ServerError("address_invalid", `Cannot listen on ${ip} port ${port}: ${cause.message}.`, {
          fix: allowed,
          cause,
        }),
      );
    });
    probe.listen({ host: ip, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}
