/**
 * The seam between decisions and limits. A decision may not wait, so the shell asks for slots first and hands the
 * answer to the machine as a fact; what was reserved and not used is given back.
 *
 * A slot is taken when a run is claimed. Until it runs, the lease lasts for the grace period; a claim by a worker of
 * ours is watched, which renews it. When it runs, a process that its owner watches holds the slot until it has ended; any
 * other renews the lease itself, as Prefect's do.
 *
 * Pools and workers have their slots counted by the pool's own object, at the claim.
 */
import { isInHand, leaseOf, WAITS_FOR_A_SLOT } from "#machine/occupancy";
import type { Reservation } from "#machine/rule";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import type { State, StateCreate } from "#protocol/states";
import { after, type EpochMs, ms } from "#protocol/time";
import { clock } from "./clock.ts";
import type { SlotAsk } from "./concurrency-limit-owner.ts";
import type { DeploymentLimit, DeploymentLimits } from "./deployment-limits.ts";
import type { KeyedReserver } from "./keyed-reserver.ts";
import { newLeaseId } from "./lease-id.ts";
import { limitOwner } from "./limit-owner.ts";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";

/** The answer to a transition that needs no slots. */
export const NOTHING_DEMANDED: Reservation = { kind: "granted", leaseId: null };

/** Runs stand in line behind nobody who did not say more; queues of higher priority come first. */
const PRIORITY = 100;

/** What was reserved for a transition. */
export interface Reserved {
  readonly reservation: Reservation;
  /** The lease that was made for it; null when none was. */
  readonly made: string | null;
  /** Whether a slot of the run's key was asked for. */
  readonly isKeyed: boolean;
}

/** Who proposes: one whose claim the owner watches, or one that comes back by itself. */
export type Claimant = "pool" | "client";

const NOTHING: Reserved = { reservation: NOTHING_DEMANDED, made: null, isKeyed: false };

export interface ReserverParts {
  readonly store: RunStore;
  readonly limits: DeploymentLimits;
  readonly objects: Env["CONCURRENCY_LIMITS"];
  readonly keyed: KeyedReserver;
}

export class Reserver {
  readonly #parts: ReserverParts;

  constructor(parts: ReserverParts) {
    this.#parts = parts;
  }

  /** Reserves the slots that a proposed state needs, or none. */
  async reserve(id: FlowRunId, proposed: StateCreate["type"], claimant: Claimant): Promise<Reserved> {
    const row = this.#parts.store.run(id);
    const spec = this.#parts.store.spec(id);
    if (!row || !spec || !isDeployed(spec)) return NOTHING;
    const from = row.record.state?.type;
    const startsOver = !isInHand(row.record.state, row.record.policy) && from !== "PAUSED";
    if (proposed === "PENDING" && startsOver) return this.#forClaim(id, row, spec, claimant);
    if (proposed === "RUNNING" && from === "PENDING") return this.#forStart(id, row, spec);
    return NOTHING;
  }

  /** Whether there would be a slot for a run that is late; asked only where the deployment has late runs cancelled. */
  async forLate(id: FlowRunId): Promise<Reservation> {
    const deploymentId = this.#parts.store.spec(id)?.deploymentId;
    const limit = deploymentId ? (await this.#parts.limits.of(deploymentId)).shared : null;
    if (limit?.collision !== "cancel") return NOTHING_DEMANDED;
    const { id: limitId, limit: slots } = limit.settings;
    const taken = await limitOwner(this.#parts.objects, limitId).activeSlots();
    return taken < slots ? NOTHING_DEMANDED : { kind: "full", limit: limit.name, collision: "cancel" };
  }

  /** Gives back what was reserved and not used. */
  async settle(id: FlowRunId, { made, isKeyed }: Reserved): Promise<void> {
    if (isKeyed) await this.#parts.keyed.settle(id);
    if (made === null) return;
    const record = this.#parts.store.run(id)?.record;
    const isUsed = record && isInHand(record.state, record.policy) && leaseOf(record.state) === made;
    if (!isUsed) await limitOwner(this.#parts.objects, made).release(made);
  }

  /** The claim of a run goes on, and so does its lease. */
  async keep(id: FlowRunId): Promise<void> {
    const lease = leaseOf(this.#parts.store.run(id)?.record.state ?? null);
    const deploymentId = this.#parts.store.spec(id)?.deploymentId;
    const limit = lease !== null && deploymentId ? (await this.#parts.limits.of(deploymentId)).shared : null;
    // A deployment that says how long a start may take means it.
    if (lease === null || limit === null || limit.graceMs !== null) return;
    await limitOwner(this.#parts.objects, lease).renew(lease, SPANS.slotGraceMs);
  }

  /** The run neither has nor wants slots; `leaseId` is what it had of its deployment's limit. */
  async giveBack(id: FlowRunId, leaseId: string | null): Promise<void> {
    const deploymentId = this.#parts.store.spec(id)?.deploymentId ?? null;
    await Promise.all([
      this.#parts.keyed.giveBack(id),
      leaseId !== null
        ? limitOwner(this.#parts.objects, leaseId).release(leaseId)
        : this.#waitsInLine(id) || this.#leaveLine(id, deploymentId),
    ]);
  }

  /** What is performed again after a restart, or late, must not cost a run that waits by now its place. */
  #waitsInLine(id: FlowRunId): boolean {
    return this.#parts.store.run(id)?.record.state?.name === WAITS_FOR_A_SLOT;
  }

  async #leaveLine(id: FlowRunId, deploymentId: DeploymentId | null): Promise<void> {
    const limits = deploymentId ? await this.#parts.limits.of(deploymentId) : null;
    if (limits?.shared) await limitOwner(this.#parts.objects, limits.shared.settings.id).leave(placeOf(id));
  }

  /** The run's limit has a slot, or was changed: what is known of it is looked up again. */
  called(id: FlowRunId): void {
    const deploymentId = this.#parts.store.spec(id)?.deploymentId;
    if (deploymentId) this.#parts.limits.forget(deploymentId);
  }

  /** The run, as it was, is deleted. */
  async removed(id: FlowRunId, spec: RunSpec | null, state: State | null): Promise<void> {
    await this.#parts.keyed.removed(id, spec);
    const lease = leaseOf(state);
    if (lease !== null) await limitOwner(this.#parts.objects, lease).release(lease);
    else if (state?.name === WAITS_FOR_A_SLOT) await this.#leaveLine(id, spec?.deploymentId ?? null);
  }

  async #forClaim(id: FlowRunId, row: RunRow, spec: DeployedSpec, claimant: Claimant): Promise<Reserved> {
    const { keyed, shared } = await this.#parts.limits.of(spec.deploymentId);
    const isKeyed = keyed !== null;
    if (keyed !== null) {
      const answer = await this.#parts.keyed.ask(id, row, spec, keyed);
      if (answer !== "granted") {
        // A slot that is kept for it there would be idle while it waits here.
        if (shared && row.record.state?.name === WAITS_FOR_A_SLOT) await this.#leaveLine(id, spec.deploymentId);
        const limit = keyed.settings.key ?? "of the deployment";
        const reservation: Reservation =
          answer === "waits" ? waiting(limit, claimant) : { kind: "full", limit, collision: "cancel" };
        return { reservation, made: null, isKeyed };
      }
    }
    return shared ? { ...(await this.#ofShared(id, row, spec, claimant, shared)), isKeyed } : { ...NOTHING, isKeyed };
  }

  async #ofShared(
    id: FlowRunId,
    row: RunRow,
    spec: RunSpec,
    claimant: Claimant,
    limit: DeploymentLimit,
  ): Promise<Reserved> {
    const { name, settings } = limit;
    // A limit of 0 is a pause: what is pushed waits for its end, and who polls is told to stop, as upstream does.
    if (settings.limit === 0 && claimant === "client") return refused({ kind: "closed", limit: name });
    const waits = limit.collision === "wait" || settings.limit === 0;
    const ask = askFor(id, row, spec, limit);
    const owner = limitOwner(this.#parts.objects, ask.leaseId);
    const answer = await owner.acquire(waits ? { ...ask, calls: id } : ask, false);
    if (answer.kind === "granted") return granted(ask.leaseId);
    return refused(waits ? waiting(name, claimant) : { kind: "full", limit: name, collision: "cancel" });
  }

  async #forStart(id: FlowRunId, row: RunRow, spec: DeployedSpec): Promise<Reserved> {
    const lease = leaseOf(row.record.state);
    const limit = lease === null ? null : (await this.#parts.limits.of(spec.deploymentId)).shared;
    if (lease === null || limit === null) return NOTHING;
    const { name, settings } = limit;
    // Its owner watches a process that was pushed to a worker, and ends it when it falls silent.
    const ttlMs = row.lease === null ? (limit.graceMs ?? SPANS.slotGraceMs) : null;
    if (await limitOwner(this.#parts.objects, lease).renew(lease, ttlMs)) {
      return { ...NOTHING, reservation: { kind: "granted", leaseId: lease } };
    }
    const ask = { ...askFor(id, row, spec, limit), ttlMs };
    const answer = await limitOwner(this.#parts.objects, settings.id).acquire(ask, false);
    return answer.kind === "granted" ? granted(ask.leaseId) : refused({ kind: "lost", limit: name });
  }
}

/** Who is pushed is called, and asks by itself only in case that was lost; who polls comes back soon all the same. */
function waiting(limit: string, claimant: Claimant): Reservation {
  const span = claimant === "pool" ? SPANS.calledSlotWaitMs : SPANS.slotWaitMs;
  return { kind: "full", limit, collision: "wait", retryAt: after(clock.now(), ms(span)) };
}

type DeployedSpec = RunSpec & { readonly deploymentId: DeploymentId };

function isDeployed(spec: RunSpec): spec is DeployedSpec {
  return spec.deploymentId !== null;
}

function granted(leaseId: string): Reserved {
  return { reservation: { kind: "granted", leaseId }, made: leaseId, isKeyed: false };
}

function refused(reservation: Reservation): Reserved {
  return { reservation, made: null, isKeyed: false };
}

function askFor(id: FlowRunId, { record }: RunRow, spec: RunSpec, limit: DeploymentLimit): SlotAsk {
  const now = clock.now();
  return {
    leaseId: newLeaseId(limit.settings.id, now),
    limits: [limit.settings],
    slots: 1,
    ttlMs: limit.graceMs ?? SPANS.slotGraceMs,
    holder: { type: "flow_run", id },
    asker: { key: placeOf(id), priority: PRIORITY - 1 + (spec.placement?.queue.priority ?? 1) },
    // Whoever was due first is served first.
    since: Math.min(now, record.expectedStartTime ?? now) as EpochMs,
  };
}

/** The key of a run's place in line. */
function placeOf(id: FlowRunId): string {
  return `flow_run:${id}`;
}
