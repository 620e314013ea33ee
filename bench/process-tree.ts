/** Memory and processor time of a process and all its descendants, from /proc (Linux). */
import { readdir, readFile } from "node:fs/promises";

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Resident memory, in MB; pages that several processes share count for each of them. */
export async function residentMb(root: number): Promise<number> {
  return (await sumKb(root, "status", /^VmRSS:\s+(\d+)/m)) / 1024;
}

/** Resident memory, in MB; a page that n processes share counts a n-th for each of them. */
export async function proportionalMb(root: number): Promise<number> {
  return (await sumKb(root, "smaps_rollup", /^Pss:\s+(\d+)/m)) / 1024;
}

/** User and system time so far, in seconds, with that of children that have ended. */
export async function cpuSeconds(root: number): Promise<number> {
  let ticks = 0;
  for (const pid of await family(root)) {
    const fields = await statFields(pid);
    // utime, stime, cutime, cstime: fields 14 to 17, counted from 1, of which `statFields` leaves out two.
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks / TICKS_PER_SECOND;
}

/** The process and its descendants that live now. */
export async function family(root: number): Promise<ReadonlySet<number>> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number((await statFields(Number(entry)))[1]);
    if (parent > 0) parents.set(Number(entry), parent);
  }
  const found = new Set([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, parent] of parents) {
      if (found.has(parent) && !found.has(pid)) {
        found.add(pid);
        grew = true;
      }
    }
  }
  return found;
}

/** From the third field on: the second is a name, which may contain anything. Empty for a process that is gone. */
async function statFields(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

async function sumKb(root: number, file: string, field: RegExp): Promise<number> {
  let total = 0;
  for (const pid of await family(root)) {
    const text = await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
    total += Number(field.exec(text)?.[1] ?? 0);
  }
  return total;
}
