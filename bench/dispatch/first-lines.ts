/** From the trigger to the first line of user code: in a fresh process, and in one that was started beforehand. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../rows/row.ts";
import { until } from "../substrate/start.ts";
import { now, POOL, type Setting, shares, startSetting } from "./setting.ts";

/** After a run, until the processes that wait are complete again and everything is quiet. */
const QUIET_MS = 2_000;

export async function firstLineRows(budget: number): Promise<Row[]> {
  return [
    await firstLineRow(budget, "in a process started beforehand", ["--warm", "2"], "p50 under 40 ms"),
    await firstLineRow(budget, "in a fresh process", [], "p50 under 300 ms"),
  ];
}

async function firstLineRow(budget: number, how: string, words: readonly string[], aim: string): Promise<Row> {
  await using setting = await startSetting();
  const worker = startWorker(setting, words);
  try {
    await until(async () => (await online(setting)) > 0, 20_000, "the worker is online");
    await sleep(QUIET_MS);
    const times = await firstLines(Math.ceil(20 * budget), (trace) => setting.trigger({ parameters: { trace } }));
    return { name: `trigger → first line of user code, ${how}`, figure: shares(times, 0), ratio: "–", aim };
  } finally {
    worker.kill("SIGTERM");
  }
}

/** Triggers one after another; the flow writes when it reached its first line to the file that it is given. */
export async function firstLines(count: number, trigger: (trace: string) => Promise<unknown>): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-trace-"));
  const trace = join(folder, "trace");
  const lines = async (): Promise<string[]> => (await readFile(trace, "utf8")).split("\n").slice(0, -1);
  const times: number[] = [];
  try {
    await writeFile(trace, "");
    // The first one fills caches of compiled code, and does not count.
    for (let index = 0; index <= count; index++) {
      const begin = now();
      await trigger(trace);
      await until(async () => (await lines()).length > index, 120_000, "the flow has begun");
      if (index > 0) times.push(Number((await lines())[index]) - begin);
      await sleep(QUIET_MS);
    }
    return times;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function online({ client }: Setting): Promise<number> {
  const path = `/api/work_pools/${POOL}/workers/filter`;
  const { body } = await client.call<{ status: string }[]>("POST", path, {});
  return body.filter(({ status }) => status === "ONLINE").length;
}

function startWorker({ server }: Setting, words: readonly string[]): ChildProcess {
  const cli = new URL("../../sdk/cli/main.ts", import.meta.url).pathname;
  return spawn(process.execPath, [cli, "worker", "start", "--pool", POOL, ...words], {
    stdio: "ignore",
    env: { ...process.env, SLUICE_API_URL: `${server.origin}/api` },
  });
}
