/** The SQLite of a work pool's object: every statement by name. Its rows and schema are in `pool-rows.ts`. */
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import type { PoolSettings } from "../work-pool-owner.ts";
import { LazySchema } from "./migrate.ts";
import {
  type HeldColumns,
  type HeldRun,
  POOL_SCHEMA,
  type PushColumns,
  type PushRow,
  type ReadyColumns,
  type ReadyRun,
  toReady,
  toWorker,
  type WaitingQueue,
  type WorkerColumns,
  type WorkerRow,
} from "./pool-rows.ts";

const SETTINGS_KEY = "settings";

/** Reads answer "nothing" before the first write; the first write makes the schema. */
export class PoolStore {
  readonly #storage: DurableObjectStorage;
  readonly #schema: LazySchema;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#schema = new LazySchema(storage, POOL_SCHEMA);
  }

  /** Runs writes that belong together: all are kept, or none. */
  together<T>(write: () => T): T {
    this.#schema.make();
    return this.#storage.transactionSync(write);
  }

  settings(): PoolSettings | null {
    return this.#storage.kv.get<PoolSettings>(SETTINGS_KEY) ?? null;
  }

  putSettings(settings: PoolSettings): void {
    this.#storage.kv.put(SETTINGS_KEY, settings);
  }

  /** Stores a waiting run; writes nothing when exactly this is stored already. */
  putReady(run: ReadyRun): void {
    this.#write(
      `INSERT INTO ready (flow_run_id, queue_name, queue_priority, due_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (flow_run_id) DO UPDATE SET queue_name = ?2, queue_priority = ?3, due_at = ?4,
         is_late = is_late AND due_at = ?4
       WHERE queue_name <> ?2 OR queue_priority <> ?3 OR due_at <> ?4`,
      run.id,
      run.queueName,
      run.queuePriority,
      run.dueAt,
    );
  }

  deleteReady(id: FlowRunId): void {
    if (this.#schema.isMade) this.#write("DELETE FROM ready WHERE flow_run_id = ?", id);
  }

  countReady(): number {
    const [row] = this.#read<{ count: number }>("SELECT count(*) AS count FROM ready");
    return row?.count ?? 0;
  }

  /** The queues in which runs wait, the most urgent first; read as far as the caller goes. */
  *waitingQueues(): Generator<WaitingQueue> {
    let last: WaitingQueue = { name: "", priority: Number.MIN_SAFE_INTEGER };
    for (;;) {
      const [row] = this.#read<{ queue_priority: number; queue_name: string }>(
        `SELECT queue_priority, queue_name FROM ready WHERE (queue_priority, queue_name) > (?, ?)
         ORDER BY queue_priority, queue_name LIMIT 1`,
        last.priority,
        last.name,
      );
      if (row === undefined) return;
      last = { name: row.queue_name, priority: row.queue_priority };
      yield last;
    }
  }

  /**
   * Runs of a queue that are due by then, in the order in which they are to start, read as far as the caller goes.
   * `onlyHeld` limits them to runs that occupy a slot of the pool already.
   */
  *readyToStart(dueBy: EpochMs, queue: WaitingQueue, { onlyHeld }: { onlyHeld: boolean }): Generator<ReadyRun> {
    const rows = this.#read<ReadyColumns>(
      `SELECT * FROM ready WHERE queue_priority = ?1 AND queue_name = ?2 AND due_at <= ?3
         AND (?4 = 0 OR flow_run_id IN (SELECT flow_run_id FROM held WHERE occupies_pool = 1))
       ORDER BY due_at, flow_run_id`,
      queue.priority,
      queue.name,
      dueBy,
      onlyHeld ? 1 : 0,
    );
    for (const row of rows) yield toReady(row);
  }

  ready(id: FlowRunId): ReadyRun | null {
    const [row] = this.#read<ReadyColumns>("SELECT * FROM ready WHERE flow_run_id = ?", id);
    return row === undefined ? null : toReady(row);
  }

  /** How many runs of its queue are to start before this one. */
  countAhead(run: ReadyRun): number {
    const [row] = this.#read<{ count: number }>(
      `SELECT count(*) AS count FROM ready
       WHERE queue_priority = ?1 AND queue_name = ?2 AND (due_at, flow_run_id) < (?3, ?4)`,
      run.queuePriority,
      run.queueName,
      run.dueAt,
      run.id,
    );
    return row?.count ?? 0;
  }

  /** A queue has another name or priority now. */
  changeQueue(from: string, to: WaitingQueue): void {
    this.#write(
      "UPDATE ready SET queue_name = ?2, queue_priority = ?3 WHERE queue_name = ?1 AND (queue_name <> ?2 OR queue_priority <> ?3)",
      from,
      to.name,
      to.priority,
    );
    if (from !== to.name) this.#write("UPDATE held SET queue_name = ?2 WHERE queue_name = ?1", from, to.name);
  }

  /** When the next run becomes due that is not due at `now`; null when there is none. */
  nextDueAt(now: EpochMs): EpochMs | null {
    const [row] = this.#read<{ due_at: EpochMs | null }>(
      "SELECT min(due_at) AS due_at FROM ready WHERE due_at > ?",
      now,
    );
    return row?.due_at ?? null;
  }

  /** Runs that are due since `dueAt` and not marked late yet, the earliest first. */
  notMarkedLate(dueAt: EpochMs, limit: number): FlowRunId[] {
    const rows = this.#read<{ flow_run_id: FlowRunId }>(
      "SELECT flow_run_id FROM ready WHERE is_late = 0 AND due_at <= ? ORDER BY due_at LIMIT ?",
      dueAt,
      limit,
    );
    return [...rows].map((row) => row.flow_run_id);
  }

  /** When the earliest run that is not marked late became due, or will; null when there is none. */
  nextNotMarkedLate(): EpochMs | null {
    const [row] = this.#read<{ due_at: EpochMs | null }>("SELECT min(due_at) AS due_at FROM ready WHERE is_late = 0");
    return row?.due_at ?? null;
  }

  markLate(ids: readonly FlowRunId[]): void {
    this.#write(
      "UPDATE ready SET is_late = 1 WHERE flow_run_id IN (SELECT value FROM json_each(?))",
      JSON.stringify(ids),
    );
  }

  held(): HeldRun[] {
    return [...this.#read<HeldColumns>("SELECT * FROM held")].map((row) => ({
      id: row.flow_run_id,
      generation: row.generation,
      workerName: row.worker_name,
      claimedAt: row.claimed_at,
      queueName: row.queue_name,
      isTentative: row.is_tentative === 1,
      occupiesPool: row.occupies_pool === 1,
      occupiesWorker: row.occupies_worker === 1,
    }));
  }

  putHeld(run: HeldRun): void {
    this.#write(
      `INSERT INTO held
         (flow_run_id, generation, worker_name, claimed_at, occupies_pool, occupies_worker, queue_name, is_tentative)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
       ON CONFLICT (flow_run_id, generation) DO UPDATE SET worker_name = ?3, claimed_at = ?4, occupies_pool = ?5,
         occupies_worker = ?6, queue_name = ?7, is_tentative = ?8`,
      run.id,
      run.generation,
      run.workerName,
      run.claimedAt,
      run.occupiesPool ? 1 : 0,
      run.occupiesWorker ? 1 : 0,
      run.queueName,
      run.isTentative ? 1 : 0,
    );
  }

  deleteHeld(id: FlowRunId, generation: number): void {
    this.#write("DELETE FROM held WHERE flow_run_id = ? AND generation = ?", id, generation);
  }

  push(id: FlowRunId): PushRow | null {
    const [row] = this.#read<PushColumns>("SELECT * FROM pushes WHERE flow_run_id = ?", id);
    if (row === undefined) return null;
    const { flow_run_id, budget_ms: budgetMs, next_at: nextAt, ...rest } = row;
    return { ...rest, id: flow_run_id, budgetMs, nextAt };
  }

  putPush(row: PushRow): void {
    this.#write(
      `INSERT INTO pushes (flow_run_id, generation, ticket, state, attempts, status, said, budget_ms, next_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
       ON CONFLICT (flow_run_id) DO UPDATE SET generation = ?2, ticket = ?3, state = ?4, attempts = ?5, status = ?6,
         said = ?7, budget_ms = ?8, next_at = ?9`,
      row.id,
      row.generation,
      row.ticket,
      row.state,
      row.attempts,
      row.status,
      row.said,
      row.budgetMs,
      row.nextAt,
    );
  }

  deletePush(id: FlowRunId): void {
    this.#write("DELETE FROM pushes WHERE flow_run_id = ?", id);
  }

  workers(): WorkerRow[] {
    return [...this.#read<WorkerColumns>("SELECT * FROM workers ORDER BY name")].map(toWorker);
  }

  worker(name: string): WorkerRow | null {
    const [row] = this.#read<WorkerColumns>("SELECT * FROM workers WHERE name = ?", name);
    return row === undefined ? null : toWorker(row);
  }

  /** Stores a worker as it is and marks it as not copied. */
  putWorker(worker: WorkerRow): void {
    this.#write(
      `INSERT INTO workers (name, id, type, run_limit, queue_names, is_online, connected_at, last_seen_at, prefetch_ms, is_copied)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)
       ON CONFLICT (name) DO UPDATE
       SET id = ?2, type = ?3, run_limit = ?4, queue_names = ?5, is_online = ?6, connected_at = ?7, last_seen_at = ?8,
         prefetch_ms = ?9, is_copied = 0`,
      worker.name,
      worker.id,
      worker.type,
      worker.limit,
      JSON.stringify(worker.queueNames),
      worker.isOnline ? 1 : 0,
      worker.connectedAt,
      worker.lastSeenAt,
      worker.prefetchMs,
    );
  }

  /** Forgets workers that were last seen before `before` and are not online. */
  deleteWorkersUnseenSince(before: EpochMs): void {
    this.#write("DELETE FROM workers WHERE is_online = 0 AND is_copied = 1 AND last_seen_at < ?", before);
  }

  uncopiedWorkers(): WorkerRow[] {
    return [...this.#read<WorkerColumns>("SELECT * FROM workers WHERE is_copied = 0")].map(toWorker);
  }

  /** Marks a worker as copied, unless it changed since it was read. */
  markCopied(worker: WorkerRow): void {
    this.#write(
      "UPDATE workers SET is_copied = 1 WHERE name = ? AND is_online = ? AND last_seen_at = ?",
      worker.name,
      worker.isOnline ? 1 : 0,
      worker.lastSeenAt,
    );
  }

  #read<T extends Record<string, SqlStorageValue>>(sql: string, ...values: SqlStorageValue[]): Iterable<T> {
    return this.#schema.isMade ? this.#storage.sql.exec<T>(sql, ...values) : [];
  }

  #write(sql: string, ...values: SqlStorageValue[]): void {
    this.#schema.make();
    this.#storage.sql.exec(sql, ...values);
  }
}
