/**
 * The object of a deployment whose runs are limited by key: one holds all keys of the deployment, so that a thousand
 * customers cost one object and a row for each run in progress.
 *
 * A run holds its slot from the claim until its owner says that it has ended. What is said may be lost, so the owner of
 * each holder is asked now and then whether it still does: a slot that nobody uses is found, and one in use is never
 * given away by time alone.
 */
import { DurableObject } from "cloudflare:workers";
import type { KeyedConcurrency } from "#protocol/flow-control";
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { clock } from "./clock.ts";
import type { KeyedAnswer, KeyedAsk, KeyedLimitOwner, KeyedRow } from "./keyed-limit-owner.ts";
import { ownerOf } from "./partition.ts";
import { KeyedLimitStore } from "./storage/keyed-limit-store.ts";

/** For so long a slot is kept for a run that was called, until a worker that polls has come by. */
const KEPT_MS = 20_000;
/** The owner of a holder is asked this often. */
const CHECK_MS = 300_000;
/** No debounce or throttle looks back longer. */
const TRIGGERS_MS = 8 * 24 * 60 * 60 * 1_000;

export class KeyedLimitObject extends DurableObject<Env> implements KeyedLimitOwner {
  #store: KeyedLimitStore;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new KeyedLimitStore(ctx.storage);
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  async ask(ask: KeyedAsk): Promise<KeyedAnswer> {
    return this.#run((now) => {
      const settings = this.#adopt(ask.settings, ask.version);
      this.#store.lapse(now);
      if (this.#store.hold(ask.run)) {
        // It has not said yet that it uses the slot, so it is not asked before it could.
        this.#store.askedAgain(ask.run, ask.askedAt, (now + CHECK_MS) as EpochMs);
        return { kind: "granted" };
      }
      if (settings === null) {
        this.#store.deletePlace(ask.run);
        return { kind: "granted" };
      }
      const { strategy, limit } = settings;
      const scope = scopeOf(settings, ask.key);
      const taken = this.#store.countHolds(scope) + this.#store.countCalled(scope, ask.run);
      if (taken < limit) {
        this.#store.deletePlace(ask.run);
        this.#store.putHold(ask, (now + CHECK_MS) as EpochMs);
        this.#store.served(ask.key, now);
        return { kind: "granted" };
      }
      if (strategy === "skip") return { kind: "dropped" };
      if (strategy === "cancel-running") {
        const others = [...this.#store.holders(ask.key), ...this.#store.waiters(ask.key)];
        const older = others.filter(({ run, since }) => run !== ask.run && since <= ask.since);
        // Whoever was overtaken by a newer one is not to replace it.
        if (others.some(({ run, since }) => run !== ask.run && since > ask.since)) return { kind: "dropped" };
        this.#store.putPlace(ask);
        return { kind: "replaces", runs: older.map(({ run }) => run) };
      }
      this.#store.putPlace(ask);
      return { kind: "waits" };
    });
  }

  async release(run: FlowRunId, upTo: EpochMs): Promise<void> {
    const isOver = (row: { readonly askedAt: EpochMs } | null) => row !== null && row.askedAt <= upTo;
    if (!isOver(this.#store.hold(run)) && !isOver(this.#store.place(run))) return;
    await this.#run(() => {
      if (isOver(this.#store.hold(run))) this.#store.deleteHold(run);
      if (isOver(this.#store.place(run))) this.#store.deletePlace(run);
    });
  }

  async configure(settings: KeyedConcurrency | null, version: number): Promise<void> {
    await this.#run(() => void this.#adopt(settings, version));
  }

  async throttle(
    key: string,
    { limit, seconds }: { readonly limit: number; readonly seconds: number },
    wanted: EpochMs,
  ): Promise<EpochMs> {
    return this.#run(() => {
      // Evenly, after a burst of `limit`: the time at which the bucket is empty again says all there is to know.
      const stepMs = (seconds * 1_000) / limit;
      const emptyAt = Math.max(this.#store.trigger("throttle", key)?.at ?? 0, wanted) + stepMs;
      const begins = Math.max(wanted, emptyAt - seconds * 1_000) as EpochMs;
      this.#store.putTrigger("throttle", key, null, emptyAt as EpochMs);
      return begins;
    });
  }

  async debounce(key: string, run: FlowRunId, seconds: number): Promise<FlowRunId | null> {
    return this.#run((now) => {
      const before = this.#store.trigger("debounce", key);
      this.#store.putTrigger("debounce", key, run, now);
      const isRecent = before !== null && now - before.at < seconds * 1_000 && before.run !== run;
      return isRecent ? before.run : null;
    });
  }

  async status(): Promise<{ holders: KeyedRow[]; waiters: KeyedRow[] }> {
    return { holders: this.#store.holders(null), waiters: this.#store.waiters(null) };
  }

  async remove(): Promise<void> {
    this.#alarmAt = null;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#store = new KeyedLimitStore(this.ctx.storage);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const now = clock.now();
    const checked = this.#store.holdsToCheck(now);
    const answers = await Promise.allSettled(
      checked.map(({ run }) => ownerOf(this.env.FLOW_RUNS, run)?.usesSlot(run) ?? Promise.resolve(false)),
    );
    await this.#run((at) => {
      checked.forEach(({ run, askedAt }, index) => {
        // Its slot was asked for again while its owner answered: that answer is about an earlier claim.
        if (this.#store.hold(run)?.askedAt !== askedAt) return;
        const answer = answers[index];
        // Without an answer the run may still go on.
        if (answer?.status === "fulfilled" && !answer.value) this.#store.deleteHold(run);
        else this.#store.checkHold(run, (at + CHECK_MS) as EpochMs);
      });
      this.#store.forgetBefore((at - TRIGGERS_MS) as EpochMs);
    });
  }

  /** Takes over a change, unless a newer one is known, and answers what holds. Without a limit everybody in line is called. */
  #adopt(settings: KeyedConcurrency | null, version: number): KeyedConcurrency | null {
    const known = this.#store.settings();
    const before = this.#store.version();
    if (version < before) return known;
    if (version > before || JSON.stringify(settings) !== JSON.stringify(known)) {
      this.#store.putSettings(settings, version);
    }
    return settings;
  }

  /** Runs a job in one transaction; slots that it frees are handed on in the same one. */
  async #run<T>(job: (now: EpochMs) => T): Promise<T> {
    this.#store.open();
    const called: FlowRunId[] = [];
    const value = this.ctx.storage.transactionSync(() => {
      const now = clock.now();
      const result = job(now);
      this.#store.lapse(now);
      called.push(...this.#callNext(now));
      return result;
    });
    for (const run of called) this.ctx.waitUntil(this.#call(run));
    this.#arm();
    return value;
  }

  /** Keeps free slots for those whose turn it is. */
  #callNext(now: EpochMs): FlowRunId[] {
    const settings = this.#store.settings();
    const called: FlowRunId[] = [];
    const call = (key: string): boolean => {
      const next = this.#store.nextOf(key);
      if (next === null) return false;
      this.#store.call(next.run, (now + KEPT_MS) as EpochMs);
      this.#store.served(key, now);
      called.push(next.run);
      return true;
    };
    if (settings?.strategy === "round-robin") {
      for (let free = this.#free(settings, null); free > 0; free--) {
        const key = this.#store.keyInTurn();
        if (key === null || !call(key)) break;
      }
      return called;
    }
    for (const key of this.#store.waitingKeys()) {
      const free = settings === null ? Number.POSITIVE_INFINITY : this.#free(settings, key);
      for (let left = free; left > 0 && call(key); left--);
    }
    return called;
  }

  #free(settings: KeyedConcurrency, key: string | null): number {
    return settings.limit - this.#store.countHolds(key) - this.#store.countCalled(key, null);
  }

  async #call(run: FlowRunId): Promise<void> {
    const askedAt = this.#store.place(run)?.askedAt;
    try {
      if ((await ownerOf(this.env.FLOW_RUNS, run)?.slotFree(run)) === "comes") return;
    } catch (error) {
      console.warn(`Flow run ${run}, which waits for a slot, could not be called; it asks by itself.`, error);
    }
    // One that asked again meanwhile stands in line for that.
    await this.#run(() => this.#store.place(run)?.askedAt === askedAt && this.#store.deletePlace(run));
  }

  /** Makes sure that an alarm comes no later than the next thing to look at. */
  #arm(): void {
    // What came long ago is forgotten even where nobody holds or waits.
    const next = this.#store.nextLookAt() ?? (this.#store.remembers() ? clock.now() + TRIGGERS_MS : null);
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    void this.ctx.storage.setAlarm(Math.ceil(next));
  }
}

/** Whose holds count: those of the run's key, or all. */
function scopeOf({ strategy }: KeyedConcurrency, key: string): string | null {
  return strategy === "round-robin" ? null : key;
}
