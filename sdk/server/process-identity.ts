/** Tells a process from a later one that was given the same number. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever form this platform tells it; only compared. */
  readonly startedAt: string;
}

/** Null if there is no such process, or only a zombie of it. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === "linux" ? startOnLinux(pid) : startByPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  return identify(pid)?.startedAt === startedAt;
}

/** Kills it, and waits until it is gone. Answers false if it is still there after `timeoutMs`. */
export async function killAndWait(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadlineAt = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() > deadlineAt) return false;
    try {
      process.kill(identity.pid, "SIGKILL");
    } catch (error) {
      // Gone between the look and the signal; anything else (EPERM) shows as a process that stays.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH" && performance.now() > deadlineAt) throw error;
    }
    await sleep(5);
  }
  return true;
}

/** Clock ticks since boot: field 22 of /proc/PID/stat, counted after the name, which may contain anything. */
function startOnLinux(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // No such process.
    return null;
  }
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? null : (fields[18] ?? null);
}

function startByPs(pid: number): string | null {
  const { stdout } = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  const [, state = "", startedAt = ""] = /^(\S+)\s+(.*\S)\s*$/.exec(stdout ?? "") ?? [];
  return startedAt === "" || state.startsWith("Z") ? null : startedAt;
}
