/**
 * Beside Prefect's own server, `prefect server start`, on SQLite (its default) and on PostgreSQL: the same requests by the
 * same client in turns. With budget 1 both take about ten minutes together, with 0.3 about five.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContenderName, startContenders } from "../prefect/contenders.ts";
import { createFlowRuns, type Load, lifecycles, setStates } from "../prefect/loads.ts";
import { logLines } from "../prefect/log-lines.ts";
import { readRuns } from "../prefect/reads.ts";
import { type Measure, Scoreboard } from "../prefect/scoreboard.ts";
import { seedOurs } from "../prefect/seed-ours.ts";
import { seedPrefect } from "../prefect/seed-prefect.ts";
import { RUNS } from "../prefect/seed-runs.ts";
import { Faults } from "../prefect/slice.ts";
import { taskEvents } from "../prefect/task-events.ts";
import type { Bench } from "./row.ts";

const LOADS: readonly Load[] = [
  createFlowRuns,
  lifecycles(1),
  lifecycles(16),
  lifecycles(64),
  setStates,
  taskEvents,
  logLines,
];
const FULL_ROUNDS = 3;
const SLICE_MS = 4_000;
const FULL_READS = 9;

const MEMORY_IDLE: Measure = { name: "memory of all its processes, idle", unit: "MB", better: "lower", aim: null };
const MEMORY_AFTER: Measure = { name: "memory after the loads", unit: "MB", better: "lower", aim: null };
const SERVER_ERRORS: Measure = { name: "answers of 5xx in all loads", unit: "", better: "lower", aim: { atMost: 0 } };
const LOST: Measure = { name: "lost requests in all loads", unit: "", better: "lower", aim: { atMost: 0 } };

/** Lives of flow runs, states, task-run events, log lines; memory, processor time and faults. */
export const prefectLoads: Bench = {
  name: "prefect-loads",
  isOnlyByName: true,
  async *run({ budget }) {
    yield await underLoad(budget);
  },
};

/** Lists, counts and histories of a hundred thousand flow runs. */
export const prefectReads: Bench = {
  name: "prefect-reads",
  isOnlyByName: true,
  async *run({ budget }) {
    yield await overSeededRuns(budget);
  },
};

async function underLoad(budget: number): Promise<string> {
  await using contenders = await startContenders();
  const board = new Scoreboard(contenders.all.map(({ name }) => name));
  const faults = new Map<ContenderName, Faults>(contenders.all.map(({ name }) => [name, new Faults()]));
  for (const contender of contenders.all) board.add(MEMORY_IDLE, contender.name, await contender.memoryMb());
  const rounds = Math.max(1, Math.round(FULL_ROUNDS * budget));
  for (let round = 0; round < rounds; round++) {
    for (const [index, load] of LOADS.entries()) {
      for (const contender of contenders.all) {
        process.stderr.write(
          `Round ${round + 1} of ${rounds}, load ${index + 1} of ${LOADS.length}: ${contender.name}\n`,
        );
        await contenders.alone(contender, () =>
          load({
            contender,
            board,
            faults: faults.get(contender.name) ?? new Faults(),
            durationMs: budget < 1 ? SLICE_MS / 2 : SLICE_MS,
          }),
        );
      }
    }
  }
  for (const contender of contenders.all) {
    board.add(MEMORY_AFTER, contender.name, await contender.memoryMb());
    board.add(SERVER_ERRORS, contender.name, faults.get(contender.name)?.serverErrors ?? 0);
    board.add(LOST, contender.name, faults.get(contender.name)?.lost ?? 0);
  }
  return `Loads, medians of ${rounds}\n${board}`;
}

async function overSeededRuns(budget: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-seeded-"));
  try {
    const endMs = Date.now();
    const ownersOfOurs = await seedOurs(folder, endMs);
    await using contenders = await startContenders(folder);
    const board = new Scoreboard(contenders.all.map(({ name }) => name));
    const times = Math.max(3, Math.round(FULL_READS * budget));
    const sizes = new Map<string, Map<ContenderName, number>>();
    for (const contender of contenders.all) {
      await contenders.alone(contender, async () => {
        process.stderr.write(`Seeding and reading: ${contender.name}\n`);
        const { databaseUrl } = contender;
        const owners = databaseUrl === null ? ownersOfOurs : await seedPrefect(contender, databaseUrl, endMs);
        await readRuns(contender, { board, owners, endMs, times, sizes });
      });
    }
    const differing = [...sizes]
      .filter(([, of]) => new Set(of.values()).size > 1)
      .map(([name, of]) => `\n"${name}" was not answered alike: ${JSON.stringify(Object.fromEntries(of))}`);
    const how = "ours: rows put straight into D1's file; Prefect's: rows put straight into its database";
    return `Reads of ${RUNS.toLocaleString("en")} flow runs (${how}), medians of ${times}\n${board}${differing.join("")}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
