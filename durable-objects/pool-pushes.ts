/**
 * Runs on their way to the HTTP target of a pool. The request itself is made by the consumer of the queue `pushes`,
 * since an object must not wait for somebody else's server; here stands what is to be pushed, how often that was tried,
 * and until when the claim may be believed to be in good hands.
 */
import type { FlowRunId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import { after, type EpochMs, ms, toWireTime } from "#protocol/time";
import type { Why } from "#protocol/why";
import type { RunTicket } from "#protocol/worker-channel";
import { clock } from "./clock.ts";
import type { PushRow } from "./storage/pool-rows.ts";
import type { PoolStore } from "./storage/pool-store.ts";
import type { PushMessage, PushNext, PushOrder, PushOutcome } from "./work-pool-owner.ts";

const SEND_TRIES = 3;

export interface PushParts {
  readonly store: PoolStore;
  readonly poolName: string;
  /** Puts a message into the queue of pushes. */
  enqueue(message: PushMessage): Promise<void>;
  /** Keeps the object until this is done. */
  waitUntil(work: Promise<void>): void;
}

export class PoolPushes {
  readonly #parts: PushParts;

  constructor(parts: PushParts) {
    this.#parts = parts;
  }

  /** A run was claimed for the target. A token is not kept: whoever pushes makes it. */
  begin({ run_token: _, ...ticket }: RunTicket): void {
    const { store, poolName, waitUntil } = this.#parts;
    const { flow_run_id: id, generation } = ticket;
    store.putPush({
      id,
      generation,
      ticket: JSON.stringify(ticket),
      state: "waiting",
      attempts: 0,
      status: null,
      said: null,
      budgetMs: null,
      nextAt: clock.now(),
    });
    waitUntil(this.#enqueue({ pool_name: poolName, flow_run_id: id, generation }));
  }

  /** What is to be pushed under this claim; null when there is nothing to do about it any more. */
  next(id: FlowRunId, generation: number): PushOrder | null {
    const row = this.#row(id, generation);
    if (row?.state !== "waiting") return null;
    return { ticket: JSON.parse(row.ticket), attempt: row.attempts + 1 };
  }

  /** Notes what became of an attempt; answers what is to be done next. */
  settle(id: FlowRunId, generation: number, outcome: PushOutcome): PushNext {
    const row = this.#row(id, generation);
    // Another delivery of the same message was quicker, or the claim is over.
    if (row?.state !== "waiting") return { kind: "done" };
    const now = clock.now();
    const attempts = row.attempts + 1;
    const { store } = this.#parts;
    if (outcome.kind === "accepted") {
      const { budgetMs } = outcome;
      // Whoever may work for less than that must have begun by then.
      const spanMs = Math.min(SPANS.pushBeginMs, budgetMs ?? SPANS.pushBeginMs);
      store.putPush({ ...row, state: "accepted", attempts, budgetMs, nextAt: after(now, ms(spanMs)) });
      return { kind: "done" };
    }
    const { status, said } = outcome;
    if (outcome.isFinal || attempts >= LIMITS.pushAttempts) {
      store.putPush({ ...row, state: "given up", attempts, status, said, nextAt: now });
      return { kind: "give up", attempts, said };
    }
    const delayMs = Math.max(retryDelayMs(attempts), Math.min(outcome.retryAfterMs ?? 0, SPANS.pushRetryAfterMs));
    store.putPush({ ...row, attempts, status, said, nextAt: after(now, ms(delayMs)) });
    return { kind: "again", delayMs };
  }

  /** Whether the claim is in good hands: it is being pushed, or was accepted a moment ago. */
  isUnderWay(id: FlowRunId, now: EpochMs): boolean {
    const row = this.#parts.store.push(id);
    if (row?.state === "waiting") return now < after(row.nextAt, ms(SPANS.pushSilenceMs));
    return row?.state === "accepted" && now < row.nextAt;
  }

  /** The claims of the run up to a generation are over. */
  forget(id: FlowRunId, generation: number | undefined): void {
    const row = this.#parts.store.push(id);
    if (row && (generation === undefined || row.generation <= generation)) this.#parts.store.deletePush(id);
  }

  explain(id: FlowRunId): Why | null {
    const row = this.#parts.store.push(id);
    if (!row) return null;
    const { attempts, budgetMs: budget_ms, nextAt, said, status } = row;
    const work_pool_name = this.#parts.poolName;
    const at = toWireTime(nextAt);
    if (row.state === "accepted") {
      const message = `The HTTP target of work pool "${work_pool_name}" accepted it and has not begun; unless it begins before ${at}, the run is offered again.`;
      return { kind: "push_accepted", message, details: { work_pool_name, budget_ms, until: at } };
    }
    if (said === null) {
      const message = `It is on its way to the HTTP target of work pool "${work_pool_name}".`;
      return { kind: "being_pushed", message, details: { work_pool_name, attempts } };
    }
    const retry_at = row.state === "given up" ? null : at;
    const then = retry_at === null ? "This claim is given up." : `It is pushed again at ${retry_at}.`;
    return {
      kind: "push_failing",
      message: `${said} That was attempt ${attempts} of ${LIMITS.pushAttempts}. ${then}`,
      details: { work_pool_name, attempts, attempts_allowed: LIMITS.pushAttempts, status, said, retry_at },
    };
  }

  #row(id: FlowRunId, generation: number): PushRow | null {
    const row = this.#parts.store.push(id);
    return row?.generation === generation ? row : null;
  }

  /** Without a message the claim comes to nothing: it is then given back when its lease has ended. */
  async #enqueue(message: PushMessage): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#parts.enqueue(message);
      } catch (error) {
        console.warn(`The push of flow run ${message.flow_run_id} could not be queued (${tries} times).`, error);
        if (tries >= SEND_TRIES) break;
        await scheduler.wait(100 * tries);
      }
    }
    const said = "The push could not be queued.";
    this.settle(message.flow_run_id, message.generation, {
      kind: "failed",
      status: null,
      said,
      isFinal: true,
      retryAfterMs: null,
    });
  }
}

/** The wait after so many attempts: doubled each time, and spread so that many runs do not come back at once. */
function retryDelayMs(attempts: number): number {
  const fullMs = Math.min(SPANS.pushRetryMaxMs, SPANS.pushRetryMs * 2 ** (attempts - 1));
  return fullMs * (0.75 + Math.random() / 4);
}
