/** Judges what happened under chaos: from the lines that executions left, and what the control plane says of each run. */

/** One process that executed a run, from its first sign to its last, in milliseconds since 1970. */
export interface Execution {
  readonly run: string;
  readonly pid: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isComplete: boolean;
}

export interface JudgedRun {
  readonly id: string;
  readonly stateType: string | null;
  /** The limit whose slot it needs. */
  readonly limit: string;
}

export interface Evidence {
  readonly asked: readonly string[];
  readonly runs: readonly JudgedRun[];
  readonly executions: readonly Execution[];
  /** Slots by limit. */
  readonly limits: Readonly<Record<string, number>>;
  /** Processes that the test killed, or that ended with what it killed. */
  readonly killed: ReadonlySet<number>;
}

const TERMINAL = new Set(["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]);

export function executionsOf(text: string): Execution[] {
  const found = new Map<string, Execution>();
  for (const line of text.split("\n")) {
    const [what, run = "", pid = "", time = ""] = line.split(" ");
    // The last line of a process that was killed may be cut.
    if ((what !== "beat" && what !== "end") || !/^\d{13}$/.test(time)) continue;
    const known = found.get(`${run} ${pid}`);
    const at = Number(time);
    found.set(`${run} ${pid}`, {
      run,
      pid: Number(pid),
      fromMs: known?.fromMs ?? at,
      toMs: at,
      isComplete: what === "end",
    });
  }
  return [...found.values()];
}

/** One sentence for each thing that must not be; none when all is well. */
export function violations({ asked, runs, executions, limits, killed }: Evidence): string[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const wrong: string[] = [];
  for (const id of asked) if (!byId.has(id)) wrong.push(`Run ${id} was acknowledged and is lost.`);
  for (const run of runs) {
    const own = executions.filter((execution) => execution.run === run.id);
    if (!TERMINAL.has(run.stateType ?? "")) wrong.push(`Run ${run.id} is ${run.stateType}, which is no end.`);
    if (run.stateType === "COMPLETED" && !own.some(({ isComplete }) => isComplete)) {
      wrong.push(`Run ${run.id} is COMPLETED, and nobody executed it to its end.`);
    }
    if (own.filter(({ isComplete }) => isComplete).length > 1)
      wrong.push(`Run ${run.id} was executed to its end twice.`);
    if (run.stateType === "CRASHED" && own.some(({ pid, isComplete }) => !isComplete && !killed.has(pid))) {
      wrong.push(`Run ${run.id} is CRASHED, though nobody killed its process.`);
    }
    for (const [index, one] of own.entries()) {
      for (const other of own.slice(index + 1)) {
        if (one.fromMs <= other.toMs && other.fromMs <= one.toMs) {
          wrong.push(`Run ${run.id} was executed by ${one.pid} and ${other.pid} at the same time.`);
        }
      }
    }
  }
  for (const [limit, slots] of Object.entries(limits)) {
    const most = mostAtOnce(executions.filter(({ run }) => byId.get(run)?.limit === limit));
    if (most > slots) wrong.push(`${most} runs were executed at once under limit ${limit} of ${slots}.`);
  }
  return wrong;
}

export function mostAtOnce(executions: readonly Execution[]): number {
  const changes = executions.flatMap(({ fromMs, toMs }) => [
    { at: fromMs, by: 1 },
    { at: toMs, by: -1 },
  ]);
  // Who ends in the millisecond in which another one begins made room for it.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
