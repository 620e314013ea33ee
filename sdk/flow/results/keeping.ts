/**
 * The stored result of one task run: looked for before the task runs, stored when it has completed.
 *
 * There are two places for it. In the run's own place it is found by a later attempt of the same run, under a key made of
 * the task that called it, the task with a hash of its source, its inputs, and a number among calls that are alike: the
 * order in which concurrent calls are made may differ between attempts. In the cache it is found by whoever has the
 * same cache key.
 */

import type { Clock } from "../clock.ts";
import type { LogLevel } from "../configuration.ts";
import type { TaskContext } from "../context.ts";
import type { TaskIdentity } from "../engine/execution.ts";
import { namedArguments } from "../engine/inputs.ts";
import type { Scope } from "../engine/scope.ts";
import { errorMessage } from "../errors.ts";
import type { TaskDefinition } from "../task.ts";
import { beginCall, nameCall } from "./call-key.ts";
import { UnhashableError } from "./hash.ts";
import { NotSerialisableError } from "./json-values.ts";
import { memoryLocks } from "./locks.ts";
import {
  isExpired,
  type RecordHead,
  readHead,
  readValue,
  UnreadableResultError,
  withHead,
  writeRecord,
} from "./record.ts";
import type { RunMemory } from "./run-memory.ts";
import type { Serializer } from "./serializer.ts";
import type { ResultStorage } from "./storage.ts";

/** A result that need not be made again. */
export interface FoundResult {
  readonly value: unknown;
  readonly reference: ResultReference;
  readonly from: "earlier attempt" | "cache";
}

/** What a state says of a stored result; the form of Prefect's result metadata. */
export interface ResultReference {
  readonly storage_key: string;
  readonly expiration: string | null;
  readonly serializer: { readonly type: string };
  readonly prefect_version: string;
  readonly storage_block_id: null;
}

export interface KeepingParts {
  readonly task: Pick<TaskDefinition, "name" | "key" | "persist" | "cache" | "shape">;
  readonly args: readonly unknown[];
  readonly scope: Scope;
  readonly identity: TaskIdentity;
  readonly runName: string;
  /** The name of the call, where it was made already; null for a call that cannot be found again. */
  readonly callKey?: string | null;
  /** A key of its own, by which the result is found whatever made it; null or absent for none. */
  readonly resultKey?: string | null;
  readonly storage: ResultStorage;
  readonly serializer: Serializer;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: (level: LogLevel, message: string) => void;
}

const processLocks = memoryLocks();

export class Keeping {
  readonly #parts: KeepingParts;
  readonly #memory: RunMemory | null;
  readonly #persists: boolean;
  #callKey: string | null = null;
  #cacheKey: string | null = null;
  #unlock: (() => Promise<void>) | null = null;

  /** Null for a task run of which nothing is kept. */
  static for(parts: KeepingParts): Keeping | null {
    const memory = parts.scope.execution.memory;
    const persists = memory !== null && (parts.task.persist ?? memory.persists);
    const isWanted =
      persists || (memory?.persists ?? false) || parts.task.cache !== null || (parts.resultKey ?? null) !== null;
    return isWanted ? new Keeping(parts, memory, persists) : null;
  }

  private constructor(parts: KeepingParts, memory: RunMemory | null, persists: boolean) {
    this.#parts = parts;
    this.#memory = memory;
    this.#persists = persists;
  }

  /** Looks for a stored result. With a cache of isolation "serializable" it waits while another one makes it. */
  async find(): Promise<FoundResult | null> {
    await this.#nameCall();
    return (await this.#findOwn()) ?? (await this.#findEarlier()) ?? (await this.#findCached());
  }

  /** Calls that are made in this context belong to this one. */
  begin(context: TaskContext): void {
    beginCall(context, this.#callKey);
  }

  /**
   * Stores the result; null where there is no place for it. Throws {@link NotSerialisableError} for one that cannot be
   * written, if the task was told to keep it.
   */
  async store(value: unknown): Promise<ResultReference | null> {
    const { task, serializer, log, runName } = this.#parts;
    const keys = this.#keys();
    const [key] = keys;
    if (key === undefined) return null;
    const head = this.#head();
    try {
      const bytes = await writeRecord(head, value, serializer);
      for (const one of keys) await this.#parts.storage.write(one, bytes);
      return reference(key, head);
    } catch (error) {
      if (error instanceof NotSerialisableError && (task.persist || task.cache !== null)) {
        throw new NotSerialisableError(error.path, error.what, ` of task run "${runName}"`);
      }
      log("warn", `The result of task run "${runName}" was not kept. ${errorMessage(error)}`);
      return null;
    }
  }

  /** The result does not hold: it is not found again. */
  async forget(): Promise<void> {
    for (const key of this.#keys()) await this.#parts.storage.delete(key);
  }

  async close(): Promise<void> {
    await this.#unlock?.();
    this.#unlock = null;
  }

  #keys(): string[] {
    const { resultKey = null } = this.#parts;
    return [resultKey, this.#persists ? this.#storageKey : null, this.#cacheKey].filter((key) => key !== null);
  }

  get #storageKey(): string | null {
    return this.#callKey === null ? null : `runs/${this.#memory?.flowRunId}/${this.#callKey}`;
  }

  #head(): RecordHead {
    const { task, identity, serializer, clock } = this.#parts;
    const now = clock.now();
    const expiresMs = task.cache?.expiresMs ?? null;
    return {
      version: 1,
      serializer: serializer.name,
      createdAt: now,
      expiresAt: expiresMs === null ? null : now + expiresMs,
      taskKey: task.key,
      dynamicKey: identity.dynamicKey,
    };
  }

  async #nameCall(): Promise<void> {
    const { task, args, scope, log, runName, callKey } = this.#parts;
    if (this.#memory === null) return;
    try {
      this.#callKey = callKey === undefined ? await nameCall(scope, task.key, args) : callKey;
    } catch (error) {
      if (!(error instanceof UnhashableError)) throw error;
      if (!this.#memory.isContinued || !this.#persists) return;
      log("info", `Task run "${runName}" runs again, if it had run: ${error.message}.`);
    }
  }

  /** What a run had stored under its own key before its process went away. */
  async #findOwn(): Promise<FoundResult | null> {
    const { resultKey, serializer, storage, log, runName } = this.#parts;
    if (resultKey == null) return null;
    try {
      const bytes = await storage.read(resultKey);
      if (bytes === null) return null;
      const head = readHead(bytes);
      const value = await readValue(head, bytes, serializer);
      return { value, reference: reference(resultKey, head), from: "earlier attempt" };
    } catch (error) {
      log("warn", `Task run "${runName}" runs again: its stored result was not read, ${why(error)}.`);
      return null;
    }
  }

  async #findEarlier(): Promise<FoundResult | null> {
    const { identity, log, runName, serializer, storage, task } = this.#parts;
    const key = this.#storageKey;
    if (!this.#memory?.isContinued || !this.#persists || key === null) return null;
    try {
      const bytes = await storage.read(key);
      if (bytes === null) {
        if (this.#memory.known(task.key, identity.dynamicKey)?.hasResult) {
          log("info", `Task run "${runName}" runs again: it had completed with other inputs, or its result is gone.`);
        }
        return null;
      }
      const head = readHead(bytes);
      if (this.#memory.takeRerun(head.taskKey, head.dynamicKey, key)) {
        log("info", `Task run "${runName}" runs again by request.`);
        return null;
      }
      const value = await readValue(head, bytes, serializer);
      if (head.dynamicKey !== identity.dynamicKey) {
        await storage.write(key, withHead({ ...head, dynamicKey: identity.dynamicKey }, bytes));
      }
      log("info", `Task run "${runName}" was restored: it had completed in an earlier attempt.`);
      return { value, reference: reference(key, head), from: "earlier attempt" };
    } catch (error) {
      log("warn", `Task run "${runName}" runs again: its stored result was not read, ${why(error)}.`);
      return null;
    }
  }

  async #findCached(): Promise<FoundResult | null> {
    const { args, clock, log, runName, scope, serializer, signal, storage, task } = this.#parts;
    if (task.cache === null) return null;
    const { policy, isSerial, locks, refresh } = task.cache;
    try {
      const made = await policy.key({
        taskName: task.name,
        taskKey: task.key,
        inputs: namedArguments(args, task.shape.names),
        flowRunId: scope.flow?.flowRunId ?? null,
        flowParameters: scope.flow?.parameters ?? null,
      });
      if (made === null) return null;
      this.#cacheKey = `cache/${made}`;
    } catch (error) {
      if (!(error instanceof UnhashableError)) throw error;
      log("warn", `Task run "${runName}" is not cached: ${error.message}.`);
      return null;
    }
    if (isSerial) {
      const manager = locks ?? storage.locks ?? processLocks;
      this.#unlock = await manager.acquire(this.#cacheKey, signal);
    }
    if (refresh) return null;
    try {
      const bytes = await storage.read(this.#cacheKey);
      if (bytes === null) return null;
      const head = readHead(bytes);
      if (isExpired(head, clock.now())) return null;
      const value = await readValue(head, bytes, serializer);
      return { value, reference: reference(this.#cacheKey, head), from: "cache" };
    } catch (error) {
      log("warn", `The cached result of task run "${runName}" was not used, ${why(error)}.`);
      return null;
    }
  }
}

function reference(key: string, head: RecordHead): ResultReference {
  return {
    storage_key: key,
    expiration: head.expiresAt === null ? null : new Date(head.expiresAt).toISOString(),
    serializer: { type: head.serializer },
    prefect_version: "sluice",
    storage_block_id: null,
  };
}

function why(error: unknown): string {
  return error instanceof UnreadableResultError ? error.message : `for ${errorMessage(error)}`;
}
