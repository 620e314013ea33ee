/** What is done when the deadline of a run has passed: a sign of life moves it, otherwise it is acted on. */
import { SPANS } from "#protocol/limits";
import { HTTP_TARGET } from "#protocol/push";
import type { EpochMs } from "#protocol/time";
import { isHolderOnline, lostHolder, polledHolder, polledTermMs } from "./polled-claims.ts";
import { NOTHING_DEMANDED } from "./reserve.ts";
import type { RunParts } from "./run-parts.ts";
import type { RunSockets } from "./run-sockets.ts";
import { stateDeadline } from "./state-deadlines.ts";
import type { DeadlineRow } from "./storage/run-rows.ts";

/** How long a deadline whose handling failed waits for the next attempt. */
const TRY_AGAIN_MS = 1_000;

export class PassedDeadlines {
  readonly #parts: RunParts;
  readonly #sockets: RunSockets;
  readonly #pools: Env["WORK_POOLS"];
  readonly #db: D1Database;

  constructor(parts: RunParts, sockets: RunSockets, env: Pick<Env, "WORK_POOLS" | "DB">) {
    this.#parts = parts;
    this.#sockets = sockets;
    this.#pools = env.WORK_POOLS;
    this.#db = env.DB;
  }

  /** Looks at every deadline that is due. One run's trouble must not keep the others' waiting: it is looked at again. */
  async handle(now: EpochMs): Promise<void> {
    const { deadlines } = this.#parts;
    for (const row of deadlines.due(now)) {
      try {
        await this.#passed(row, now);
      } catch (error) {
        console.warn(`The deadline of flow run ${row.runId} could not be handled; it is tried again.`, error);
        deadlines.extend(row.runId, (now + TRY_AGAIN_MS) as EpochMs);
      }
    }
  }

  async #passed(row: DeadlineRow, now: EpochMs): Promise<void> {
    if (row.kind === "claim") await this.#claim(row, now);
    else if (row.kind === "polled") await this.#polled(row, now);
    else if (row.kind === "alive" || row.kind === "beating") await this.#life(row, row.kind, now);
    else {
      const { kind } = row;
      const { commit, deadlines, endings, reserver } = this.#parts;
      const reservation = kind === "late" ? await reserver.forLate(row.runId) : NOTHING_DEMANDED;
      // Late is what the clock says, and too late; the others may only pass while somebody could have ended the state.
      const acts = () => kind === "late" || kind === "expired" || deadlines.mayAct(row, now, this.#missedMs());
      await commit.run(() => acts() && endings.endState(row.runId, kind, reservation));
    }
  }

  async #life(row: DeadlineRow, kind: "alive" | "beating", now: EpochMs): Promise<void> {
    const { commit, deadlines, endings, store, heartbeats } = this.#parts;
    const termMs = kind === "beating" ? heartbeats.termMs(row.runId) : this.#missedMs();
    const run = store.run(row.runId);
    const ofState = run ? stateDeadline(run, () => null) : null;
    const isOver = ofState !== null && ofState.dueAt <= now;
    const lastSeen = this.#sockets.lastSeen(row.runId);
    const isSilent = lastSeen === null || lastSeen + termMs <= now;
    if (!isSilent && !isOver) {
      deadlines.extend(row.runId, (lastSeen + termMs) as EpochMs);
      return;
    }
    const acts = await commit.run(() => {
      const mayAct = deadlines.mayAct(row, now, termMs);
      if (mayAct && isOver) endings.endState(row.runId, ofState.kind);
      else if (mayAct) endings.declareLost(row.runId, lastSeen === null ? termMs : now - lastSeen);
      return mayAct;
    });
    // A process that hangs without a heartbeat still occupies its worker.
    const poolName = acts && isSilent ? store.spec(row.runId)?.placement?.poolName : undefined;
    if (poolName !== undefined) await this.#pools.getByName(poolName).kill(row.runId);
  }

  async #claim(row: DeadlineRow, now: EpochMs): Promise<void> {
    const { commit, deadlines, claims, store } = this.#parts;
    const lease = store.run(row.runId)?.lease;
    const placement = store.spec(row.runId)?.placement;
    if (!lease || !placement) {
      await commit.run(() => deadlines.unwatch(row.runId));
      return;
    }
    const online = await this.#pools.getByName(placement.poolName).workerOnline(lease.holder, row.runId);
    if (online) await this.#parts.reserver.keep(row.runId);
    await commit.run(() => {
      if (online) claims.extendClaim(row.runId, lease.generation);
      else if (deadlines.mayAct(row, now, this.#missedMs())) {
        claims.giveBack(row.runId, lease.generation, lossOf(lease.holder));
      }
    });
  }

  async #polled(row: DeadlineRow, now: EpochMs): Promise<void> {
    const { commit, deadlines, claims, store } = this.#parts;
    const state = store.run(row.runId)?.record.state;
    const spec = store.spec(row.runId);
    if (!spec || state?.type !== "PENDING") {
      await commit.run(() => deadlines.unwatch(row.runId));
      return;
    }
    const termMs = polledTermMs(state);
    const holder = polledHolder(spec);
    const isOnline = await isHolderOnline(this.#db, holder, now);
    await commit.run(() => {
      // Something may have been heard while it was looked up.
      if ((deadlines.dueAt(row.runId, "polled") ?? now) > now) return;
      if (isOnline) deadlines.renew(row.runId, "polled", now, termMs);
      else if (deadlines.mayAct(row, now, termMs)) claims.takeBack(row.runId, lostHolder(holder));
    });
  }

  #missedMs(): number {
    return SPANS.missedHeartbeats * this.#parts.heartbeatMs;
  }
}

/** What is said of a claim whose holder is gone. */
function lossOf(holder: string): string {
  if (holder === HTTP_TARGET) return "It was pushed to the HTTP target, which did not begin with it in time.";
  if (holder.startsWith("session ")) return "A process of the HTTP target took it up and went away before it started.";
  return `Worker "${holder}" claimed it and went away before it started.`;
}
