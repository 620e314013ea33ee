/** Counts what the platform bills: rows written in objects and in D1, calls of objects, requests of the Worker. */
import { env } from "cloudflare:workers";
import { EventHubObject } from "../../../durable-objects/event-hub-object.ts";
import { FlowRunObject } from "../../../durable-objects/flow-run-object.ts";
import { WorkPoolObject } from "../../../durable-objects/work-pool-object.ts";

/** WebSocket messages into an object are billed twenty to one request. */
const MESSAGES_PER_REQUEST = 20;

type AnyFunction = (...args: unknown[]) => unknown;

export class Meter implements Disposable {
  objectRows = 0;
  d1Rows = 0;
  objectCalls = 0;
  objectMessages = 0;
  readonly #cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  readonly #undo: (() => void)[] = [];

  /** Starts counting. `storage` is any object's storage: the counters hang on what all objects share. */
  constructor(storage: DurableObjectStorage) {
    const cursors = this.#cursors;
    this.#wrap(
      Object.getPrototypeOf(storage.sql),
      "exec",
      (exec) =>
        function (this: SqlStorage, ...args) {
          const cursor = exec.apply(this, args) as SqlStorageCursor<Record<string, SqlStorageValue>>;
          cursors.push(cursor);
          return cursor;
        },
    );
    const count = (amount: () => void) => (inner: AnyFunction) =>
      function (this: unknown, ...args: unknown[]) {
        amount();
        return inner.apply(this, args);
      };
    this.#wrap(
      Object.getPrototypeOf(storage),
      "setAlarm",
      count(() => {
        this.objectRows += 1;
      }),
    );
    for (const prototype of [FlowRunObject.prototype, WorkPoolObject.prototype, EventHubObject.prototype]) {
      for (const name of Object.getOwnPropertyNames(prototype)) {
        if (name === "constructor") continue;
        const isMessage = name === "webSocketMessage";
        const isFree = name === "webSocketClose" || name === "webSocketError";
        if (isFree) continue;
        this.#wrap(
          prototype,
          name,
          count(() => {
            if (isMessage) this.objectMessages += 1;
            else this.objectCalls += 1;
          }),
        );
      }
    }
    const meter = this;
    this.#wrap(
      Object.getPrototypeOf(env.DB),
      "batch",
      (batch) =>
        async function (this: D1Database, ...args) {
          const results = (await batch.apply(this, args)) as D1Result[];
          for (const { meta } of results) meter.d1Rows += meta.rows_written ?? 0;
          return results;
        },
    );
    const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
    for (const name of ["run", "all"]) {
      this.#wrap(
        statement,
        name,
        (inner) =>
          async function (this: unknown, ...args) {
            const result = (await inner.apply(this, args)) as D1Result;
            meter.d1Rows += result.meta.rows_written ?? 0;
            return result;
          },
      );
    }
  }

  /** Rows written in objects, alarms included. */
  get rows(): number {
    return this.objectRows + this.#cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);
  }

  get objectRequests(): number {
    return this.objectCalls + Math.ceil(this.objectMessages / MESSAGES_PER_REQUEST);
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }

  #wrap(target: object, name: string, by: (inner: AnyFunction) => (this: never, ...args: never[]) => unknown): void {
    const descriptor = Object.getOwnPropertyDescriptor(target, name);
    if (typeof descriptor?.value !== "function") throw new Error(`There is no ${name} to count.`);
    Object.defineProperty(target, name, { ...descriptor, value: by(descriptor.value) });
    this.#undo.push(() => Object.defineProperty(target, name, descriptor));
  }
}
