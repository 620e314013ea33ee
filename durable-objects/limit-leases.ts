/**
 * The leases of a limit, as far as other limits have a part in them.
 *
 * A lease on several limits is taken in two phases, in the order of the limits' ids. Nobody waits while holding, so
 * nothing can lock up: the first limit that is full ends the attempt. What is held meanwhile is tentative. The lease comes about
 * by one row of its home, the first limit: a limit that holds slots and never heard of the outcome asks there, and what
 * is undecided is given up by the question. So a lease is whole or gone, whoever dies when.
 */
import type { EpochMs } from "#protocol/time";
import type { ConcurrencyLimitOwner, LeaseOutcome, PartAsk, SlotAnswer, SlotAsk } from "./concurrency-limit-owner.ts";
import { limitObjectName } from "./lease-id.ts";
import { calledRun } from "./limit-callers.ts";
import type { LimitDesk, PartAnswer } from "./limit-desk.ts";
import type { Wish } from "./limit-line.ts";
import type { LeaseRow } from "./storage/limit-store.ts";

/** Telling another limit that a lease is over is tried again after this. */
const RETRY_MS = 2_000;
/** An attempt that was given up while it was made is made again soon. */
const AGAIN_MS = 100;

/** How whoever asks waits, if there is no slot. */
export type Waits = PartAsk["waits"]["kind"];

/** Finds the object of another limit, or the home of a lease. */
export type LimitFinder = (id: string) => ConcurrencyLimitOwner;

export class LimitLeases {
  readonly #desk: LimitDesk;
  readonly #object: LimitFinder;

  constructor(desk: LimitDesk, object: LimitFinder) {
    this.#desk = desk;
    this.#object = object;
  }

  /** Takes slots of every limit of the ask, or of none. */
  async attempt(ask: SlotAsk, waits: Waits, since: EpochMs): Promise<SlotAnswer> {
    const [home, ...others] = ask.limits;
    if (!home) return { kind: "granted" };
    const { leaseId: id, slots, ttlMs, holder, asker } = ask;
    const here = await this.#desk.run<PartAnswer>((now) => {
      const { slots: all, line } = this.#desk;
      all.adopt(home, now);
      const wish: Wish = { asker, slots, holder, since };
      const lease = {
        id,
        slots,
        ttlMs,
        holder,
        others: others.map((limit) => limit.id),
        isTentative: others.length > 0,
      };
      const answer = this.#desk.take(lease, wish, waits === "connected", now);
      if (answer.kind === "granted" || waits === "not") return answer;
      if (waits === "polling") return { kind: "full", retryAfterMs: line.putPolling(wish, answer.retryAfterMs, now) };
      if (asker.key === null) return answer;
      if (ask.calls) line.putElsewhere(asker.key, wish, calledRun(ask.calls), null);
      else line.putConnected(asker.key, wish);
      return answer;
    });
    if (here.kind === "full") return { ...here, limitId: home.id };
    return others.length === 0 ? here : this.takeOthers(ask, waits, since);
  }

  /** The second half of an attempt: the slots here are held. */
  async takeOthers(ask: SlotAsk, waits: Waits, since: EpochMs): Promise<SlotAnswer> {
    const { leaseId, limits, asker, slots, ttlMs, holder } = ask;
    const others = limits.slice(1);
    try {
      for (const settings of others) {
        const part: PartAsk = { leaseId, settings, slots, ttlMs, holder, asker, waits: { kind: waits, since } };
        const answer = await this.#object(settings.id).hold(part);
        if (answer.kind === "granted") continue;
        await this.release(leaseId);
        return { ...answer, limitId: settings.id };
      }
    } catch (error) {
      await this.release(leaseId);
      throw error;
    }
    const cameAbout = await this.#desk.run((now) => this.#desk.slots.confirm(leaseId, now));
    if (!cameAbout) {
      // Another limit waited so long that it asked, which gave the attempt up. It told the others, or will.
      await Promise.allSettled(others.map(({ id }) => this.#object(id).release(leaseId)));
      return { kind: "full", limitId: limits[0]?.id ?? "", retryAfterMs: AGAIN_MS };
    }
    // One that does not hear of it asks.
    this.#desk.waitUntil(Promise.allSettled(others.map(({ id }) => this.#object(id).confirm(leaseId))));
    return { kind: "granted" };
  }

  /** Asked by a lease's home; see ConcurrencyLimitOwner. */
  hold({ settings, asker, waits, ...part }: PartAsk): Promise<PartAnswer> {
    return this.#desk.run((now) => {
      const { slots, line } = this.#desk;
      slots.adopt(settings, now);
      const wish: Wish = { asker, slots: part.slots, holder: part.holder, since: waits.since };
      const lease = { id: part.leaseId, ...part, others: [], isTentative: true };
      const answer = this.#desk.take(lease, wish, waits.kind === "connected", now);
      if (answer.kind === "granted" || waits.kind === "not") return answer;
      if (waits.kind === "polling") {
        return { kind: "full", retryAfterMs: line.putPolling(wish, answer.retryAfterMs, now) };
      }
      if (asker.key !== null) line.putElsewhere(asker.key, wish, limitObjectName(part.leaseId), now);
      return answer;
    });
  }

  outcome(leaseId: string): Promise<LeaseOutcome> {
    return this.#desk.run((now): LeaseOutcome => {
      const { slots } = this.#desk;
      slots.expire(now);
      const row = slots.get(leaseId);
      if (row?.state === "held") return { kind: "held", expiresAt: row.expiresAt };
      if (row?.state === "tentative") this.#desk.end(row, now);
      return { kind: "none" };
    });
  }

  async renew(leaseId: string, ttlMs: number | null): Promise<boolean> {
    const isHome = this.#desk.isHomeOf(leaseId);
    // One that is over here must not be made to last at the others.
    if (isHome) await this.#desk.catchUp();
    const held = this.#desk.slots.get(leaseId);
    if (isHome && held?.state === "held") {
      const answers = await Promise.all(held.others.map((id) => this.#object(id).renew(leaseId, ttlMs)));
      if (answers.includes(false)) {
        await this.release(leaseId);
        return false;
      }
    }
    const isRenewed = await this.#desk.run((now) => {
      const { slots } = this.#desk;
      slots.expire(now);
      const row = slots.get(leaseId);
      // Elsewhere than at home a renewal is as good as a confirmation; at home an attempt may still be given up.
      if (!row || row.state === "releasing" || (isHome && row.state === "tentative")) return false;
      slots.renew(row, ttlMs, now);
      return true;
    });
    const over = this.#desk.slots.get(leaseId);
    // It ended here while the others were renewed.
    if (isHome && over?.state === "releasing") this.#desk.waitUntil(this.tellOthers(over));
    return isRenewed;
  }

  /** Ends a lease here, and everywhere if this is its home. */
  async release(leaseId: string): Promise<void> {
    if (this.#desk.slots.get(leaseId) === null) return;
    await this.#desk.run((now) => {
      const row = this.#desk.slots.get(leaseId);
      if (row) this.#desk.end(row, now);
    });
  }

  /** Ends a lease by its home, or here if that does not answer: it asks, or finds out at the next renewal. */
  async releaseWhole(leaseId: string): Promise<void> {
    if (!this.#desk.isHomeOf(leaseId)) {
      await this.#object(leaseId)
        .release(leaseId)
        .catch((error: unknown) => console.warn(`The home of lease ${leaseId} was not told of its end.`, error));
    }
    await this.release(leaseId);
  }

  /** Asks what became of a tentative lease, or tells others of one that is over (again). */
  async settle(row: LeaseRow): Promise<void> {
    if (row.state === "releasing") return this.tellOthers(row);
    let outcome: LeaseOutcome = { kind: "none" };
    try {
      if (!this.#desk.isHomeOf(row.id)) outcome = await this.#object(row.id).outcome(row.id);
    } catch (error) {
      // Freed without an answer, the slots could be given to two.
      console.warn(`The home of lease ${row.id} did not answer; it is asked again.`, error);
      await this.#desk.run((now) => this.#desk.slots.askLater(row, (now + RETRY_MS) as EpochMs));
      return;
    }
    await this.#desk.run((now) => {
      const { slots } = this.#desk;
      const current = slots.get(row.id);
      if (current?.state !== "tentative") return;
      if (outcome.kind === "none") this.#desk.end(current, now);
      else slots.hold(current, outcome.expiresAt, now);
    });
  }

  /** Tells the other limits of a lease that it is over. */
  async tellOthers(row: LeaseRow): Promise<void> {
    const told = await Promise.allSettled(row.others.map((id) => this.#object(id).release(row.id)));
    await this.#desk.run((now) => {
      const { slots } = this.#desk;
      if (told.every(({ status }) => status === "fulfilled")) slots.settle(row.id);
      else if (slots.get(row.id)?.state === "releasing") slots.askLater(row, (now + RETRY_MS) as EpochMs);
    });
  }
}
