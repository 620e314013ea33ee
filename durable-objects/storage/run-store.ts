/** The SQLite of an object that owns flow runs: every statement by name. Its rows and schema are in `run-rows.ts`. */
import type { FlowRunInput } from "#protocol/flow-run-inputs";
import type { FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import type { LogCreate } from "#protocol/logs";
import type { State } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import { ParsedRows } from "./parsed-rows.ts";
import type { DeadlineKind, DeadlineRow, LogChunk, RunRow, RunSpec, TaskRow } from "./run-rows.ts";

/** Runs whose rows are kept parsed: those of about a second under full load, some kilobytes each. */
const PARSED_RUNS = 1_000;

interface LogRow extends Record<string, SqlStorageValue> {
  readonly seq: number;
  readonly arrived_at: number;
  readonly session: string | null;
  readonly batch: number;
  readonly lines: string;
}

function logChunkOf(row: LogRow): LogChunk {
  return {
    seq: row.seq,
    arrivedAt: row.arrived_at as EpochMs,
    session: row.session,
    batch: row.batch,
    lines: JSON.parse(row.lines) as LogCreate[],
  };
}

/** The named statements. Each does one thing and returns parsed rows. */
export class RunStore {
  readonly #sql: SqlStorage;
  readonly #runs = new ParsedRows<FlowRunId, RunRow>(PARSED_RUNS);
  readonly #specs = new ParsedRows<FlowRunId, RunSpec>(PARSED_RUNS);

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** The greatest number in the journal or among log chunks' marks; 0 in an empty object. */
  lastSeq(): number {
    const last = this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM journal").one().seq ?? 0;
    return Math.max(last, this.mark("seq"));
  }

  mark(name: string): number {
    return this.#sql.exec<{ value: number }>("SELECT value FROM marks WHERE name = ?", name).toArray()[0]?.value ?? 0;
  }

  setMark(name: string, value: number): void {
    this.#sql.exec("INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value);
  }

  insertSpec(id: FlowRunId, spec: RunSpec): void {
    this.#sql.exec("INSERT INTO specs VALUES (?, ?)", id, JSON.stringify(spec));
    this.#specs.set(id, spec);
  }

  updateSpec(id: FlowRunId, spec: RunSpec): void {
    this.#sql.exec("UPDATE specs SET doc = ? WHERE run_id = ?", JSON.stringify(spec), id);
    this.#specs.set(id, spec);
  }

  spec(id: FlowRunId): RunSpec | null {
    const parsed = this.#specs.get(id) ?? this.#doc<RunSpec>("SELECT doc FROM specs WHERE run_id = ?", id);
    if (parsed) this.#specs.set(id, parsed);
    return parsed;
  }

  putRun(id: FlowRunId, row: RunRow): void {
    this.#sql.exec(
      "INSERT INTO runs VALUES (?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc",
      id,
      JSON.stringify(row),
    );
    this.#runs.set(id, row);
  }

  run(id: FlowRunId): RunRow | null {
    const parsed = this.#runs.get(id) ?? this.#doc<RunRow>("SELECT doc FROM runs WHERE run_id = ?", id);
    if (parsed) this.#runs.set(id, parsed);
    return parsed;
  }

  /** Appends a state (or, without one, only the mark that the run has changed). */
  appendJournal(seq: number, id: FlowRunId, state: State | null): void {
    this.#sql.exec("INSERT INTO journal VALUES (?, ?, ?)", seq, id, state === null ? null : JSON.stringify(state));
  }

  states(seqs: readonly number[]): State[] {
    return this.#sql
      .exec<{ state: string }>(
        "SELECT state FROM journal WHERE seq IN (SELECT value FROM json_each(?)) AND state IS NOT NULL ORDER BY seq",
        JSON.stringify(seqs),
      )
      .toArray()
      .map((row) => JSON.parse(row.state) as State);
  }

  /** The states among these entries that came after the watermark, oldest first, each with the one before it. */
  stepsAfter(seqs: readonly number[], watermark: number): { seq: number; from: State | null; to: State }[] {
    const rows = this.#sql
      .exec<{ seq: number; state: string }>(
        "SELECT seq, state FROM journal WHERE seq IN (SELECT value FROM json_each(?)) AND state IS NOT NULL ORDER BY seq",
        JSON.stringify(seqs),
      )
      .toArray()
      .map((row) => ({ seq: row.seq, state: JSON.parse(row.state) as State }));
    return rows
      .map(({ seq, state }, index) => ({ seq, from: rows[index - 1]?.state ?? null, to: state }))
      .filter(({ seq }) => seq > watermark);
  }

  /**
   * A state by its id. Ids are made in the order of the journal, so the place is found by halving instead of by an
   * index, which would cost a row for each state.
   */
  stateById(id: StateId): State | null {
    const { low, high } = this.#sql
      .exec<{ low: number | null; high: number | null }>("SELECT min(seq) AS low, max(seq) AS high FROM journal")
      .one();
    let [first, last] = [low ?? 0, high ?? -1];
    while (first <= last) {
      const middle = Math.floor((first + last) / 2);
      const found = this.#stateFrom(middle, last);
      if (found === null) last = middle - 1;
      else if (found.state.id === id) return found.state;
      else if (timePart(found.state.id) < timePart(id)) first = found.seq + 1;
      else if (timePart(found.state.id) > timePart(id)) last = middle - 1;
      else return this.#stateOfInstant(id, found.seq);
    }
    return null;
  }

  /** The first state at or after a number of the journal. */
  #stateFrom(seq: number, last: number): { seq: number; state: State } | null {
    const [row] = this.#sql
      .exec<{ seq: number; state: string }>(
        "SELECT seq, state FROM journal WHERE seq BETWEEN ? AND ? AND state IS NOT NULL ORDER BY seq LIMIT 1",
        seq,
        last,
      )
      .toArray();
    return row ? { seq: row.seq, state: JSON.parse(row.state) as State } : null;
  }

  /** Looks to both sides of a state of the same millisecond. */
  #stateOfInstant(id: StateId, seq: number): State | null {
    for (const query of [
      "SELECT state FROM journal WHERE seq < ? AND state IS NOT NULL ORDER BY seq DESC",
      "SELECT state FROM journal WHERE seq > ? AND state IS NOT NULL ORDER BY seq",
    ]) {
      for (const row of this.#sql.exec<{ state: string }>(query, seq)) {
        const state = JSON.parse(row.state) as State;
        if (state.id === id) return state;
        if (timePart(state.id) !== timePart(id)) break;
      }
    }
    return null;
  }

  /** Runs that changed after the watermark: what a restarted object has to copy and to perform again. */
  changedAfter(seq: number): FlowRunId[] {
    return this.#sql
      .exec<{ run_id: string }>("SELECT DISTINCT run_id FROM journal WHERE seq > ?", seq)
      .toArray()
      .map((row) => row.run_id as FlowRunId);
  }

  /** Numbers of entries above the watermark that no state belongs to. */
  marksAfter(seq: number): number[] {
    return this.#sql
      .exec<{ seq: number }>("SELECT seq FROM journal WHERE seq > ? AND state IS NULL", seq)
      .toArray()
      .map((row) => row.seq);
  }

  /** Forgets entries that only marked a change and are not part of a run's history. */
  deleteMarks(seqs: readonly number[]): void {
    this.#sql.exec(
      "DELETE FROM journal WHERE state IS NULL AND seq IN (SELECT value FROM json_each(?))",
      JSON.stringify(seqs),
    );
  }

  putTask(id: FlowRunId, row: TaskRow): void {
    this.#sql.exec(
      "INSERT INTO tasks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc",
      id,
      row.task.task_key,
      row.task.dynamic_key,
      JSON.stringify(row),
    );
  }

  /** By natural key: a run that is executed again reports the same task under another id. */
  task(id: FlowRunId, taskKey: string, dynamicKey: string): TaskRow | null {
    return this.#doc<TaskRow>(
      "SELECT doc FROM tasks WHERE run_id = ? AND task_key = ? AND dynamic_key = ?",
      id,
      taskKey,
      dynamicKey,
    );
  }

  taskById(id: FlowRunId, taskRunId: TaskRunId): TaskRow | null {
    return this.#doc<TaskRow>("SELECT doc FROM tasks WHERE run_id = ? AND doc ->> '$.task.id' = ?", id, taskRunId);
  }

  tasks(id: FlowRunId): TaskRow[] {
    return this.#sql
      .exec<{ doc: string }>("SELECT doc FROM tasks WHERE run_id = ?", id)
      .toArray()
      .map((row) => JSON.parse(row.doc) as TaskRow);
  }

  /** Those of the run's task runs that are scheduled. */
  scheduledTasks(id: FlowRunId): TaskRow[] {
    return this.#sql
      .exec<{ doc: string }>("SELECT doc FROM tasks WHERE run_id = ? AND doc ->> '$.task.state_type' = 'SCHEDULED'", id)
      .toArray()
      .map((row) => JSON.parse(row.doc) as TaskRow);
  }

  deleteTask(id: FlowRunId, row: TaskRow): void {
    this.#sql.exec(
      "DELETE FROM tasks WHERE run_id = ? AND task_key = ? AND dynamic_key = ?",
      id,
      row.task.task_key,
      row.task.dynamic_key,
    );
  }

  insertLogs(id: FlowRunId, chunk: LogChunk, bytes: number): void {
    this.#sql.exec(
      "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      chunk.seq,
      chunk.arrivedAt,
      chunk.session,
      chunk.batch,
      bytes,
      JSON.stringify(chunk.lines),
    );
  }

  /** Bytes of log that a run has stored. */
  logBytes(id: FlowRunId): number {
    return this.#sql
      .exec<{ bytes: number }>("SELECT coalesce(sum(bytes), 0) AS bytes FROM logs WHERE run_id = ?", id)
      .one().bytes;
  }

  /** The last batch of a session that has left lines here; 0 for none. */
  lastLogBatch(id: FlowRunId, session: string): number {
    return this.#sql
      .exec<{ batch: number }>(
        "SELECT coalesce(max(batch), 0) AS batch FROM logs WHERE run_id = ? AND session = ?",
        id,
        session,
      )
      .one().batch;
  }

  /** Chunks in the order of arrival, one at a time: a run may have 50 MB of them. */
  *logs(id: FlowRunId): Generator<LogChunk> {
    const rows = this.#sql.exec<LogRow>(
      "SELECT seq, arrived_at, session, batch, lines FROM logs WHERE run_id = ? ORDER BY seq",
      id,
    );
    for (const row of rows) yield logChunkOf(row);
  }

  /** One chunk; null when there is none with this number. */
  logChunk(id: FlowRunId, seq: number): LogChunk | null {
    const row = this.#sql
      .exec<LogRow>("SELECT seq, arrived_at, session, batch, lines FROM logs WHERE run_id = ? AND seq = ?", id, seq)
      .toArray()[0];
    return row ? logChunkOf(row) : null;
  }

  /** Runs whose new lines somebody listens to. */
  streamedRuns(): string[] {
    return this.#sql
      .exec<{ run_id: string }>("SELECT run_id FROM streamed_runs")
      .toArray()
      .map((row) => row.run_id);
  }

  putStreamedRun(name: string): void {
    this.#sql.exec("INSERT INTO streamed_runs VALUES (?) ON CONFLICT DO NOTHING", name);
  }

  deleteStreamedRun(name: string): void {
    this.#sql.exec("DELETE FROM streamed_runs WHERE run_id = ?", name);
  }

  putInput(input: FlowRunInput): void {
    this.#sql.exec("INSERT INTO inputs VALUES (?, ?, ?)", input.flow_run_id, input.key, JSON.stringify(input));
  }

  input(id: FlowRunId, key: string): FlowRunInput | null {
    return this.#doc<FlowRunInput>("SELECT doc FROM inputs WHERE run_id = ? AND key = ?", id, key);
  }

  inputs(id: FlowRunId): FlowRunInput[] {
    return this.#sql
      .exec<{ doc: string }>("SELECT doc FROM inputs WHERE run_id = ?", id)
      .toArray()
      .map((row) => JSON.parse(row.doc) as FlowRunInput);
  }

  deleteInput(id: FlowRunId, key: string): void {
    this.#sql.exec("DELETE FROM inputs WHERE run_id = ? AND key = ?", id, key);
  }

  putDeadline(row: DeadlineRow): void {
    this.#sql.exec(
      `INSERT INTO deadlines VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at, postponed = excluded.postponed`,
      row.runId,
      row.kind,
      row.dueAt,
      row.postponed ? 1 : 0,
    );
  }

  deleteDeadline(id: FlowRunId): void {
    this.#sql.exec("DELETE FROM deadlines WHERE run_id = ?", id);
  }

  deadlines(): DeadlineRow[] {
    return this.#sql
      .exec<{ run_id: string; kind: string; due_at: number; postponed: number }>("SELECT * FROM deadlines")
      .toArray()
      .map((row) => ({
        runId: row.run_id as FlowRunId,
        kind: row.kind as DeadlineKind,
        dueAt: row.due_at as EpochMs,
        postponed: row.postponed === 1,
      }));
  }

  /** Deletes a run with everything that belongs to it. */
  deleteRun(id: FlowRunId, row: RunRow): void {
    this.#runs.delete(id);
    this.#specs.delete(id);
    this.#sql.exec("DELETE FROM journal WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(row.states));
    for (const table of ["specs", "runs", "tasks", "logs", "inputs", "deadlines", "streamed_runs"]) {
      this.#sql.exec(`DELETE FROM ${table} WHERE run_id = ?`, id);
    }
  }

  /** A transaction was undone: what was parsed or written during it may not be what is stored. */
  forgetParsed(): void {
    this.#runs.clear();
    this.#specs.clear();
  }

  #doc<T>(query: string, ...keys: string[]): T | null {
    const doc = this.#sql.exec<{ doc: string }>(query, ...keys).toArray()[0]?.doc;
    return doc === undefined ? null : (JSON.parse(doc) as T);
  }
}

/** The part of an id that tells when it was made; it sorts as time does. */
function timePart(id: string): string {
  return id.slice(0, 13);
}
