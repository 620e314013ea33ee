/**
 * Debounce and throttle for runs of schedules: they are asked about when they would be claimed for the first time, since
 * what is listed ahead may never run. Runs that somebody makes are put off when they are made (worker/flow-control.ts).
 *
 * That a run was asked about stands on its label, so that it counts once, however often it is claimed.
 */
import { BACKFILL_LABEL } from "#protocol/backfills";
import { keyOf, TRIGGERED_LABEL, whyPutOff } from "#protocol/flow-control";
import type { Labels } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";
import { clock } from "./clock.ts";
import type { DeploymentLimits } from "./deployment-limits.ts";
import { keyedLimitOwner } from "./keyed-limit-owner.ts";
import type { RunSpec } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";

export interface ScheduledTriggersParts {
  readonly store: RunStore;
  readonly limits: DeploymentLimits;
  readonly objects: Env["KEYED_LIMITS"];
  /** Cancels a run that still waits, wherever it is. */
  supersede(id: FlowRunId): Promise<void>;
  label(id: FlowRunId, labels: Labels): Promise<unknown>;
}

export class ScheduledTriggers {
  readonly #parts: ScheduledTriggersParts;
  /** Two workers that ask for one run at the same time are one trigger. */
  readonly #asked = new Map<FlowRunId, Promise<StateCreate | null>>();

  constructor(parts: ScheduledTriggersParts) {
    this.#parts = parts;
  }

  /** The state in which a run waits instead of being claimed; null when it may be. */
  insteadOfClaim(id: FlowRunId): Promise<StateCreate | null> | null {
    const spec = this.#parts.store.spec(id);
    const deploymentId = spec?.deploymentId;
    const { state, runCount } = this.#parts.store.run(id)?.record ?? {};
    const waitsForItsStart = state?.type === "SCHEDULED" && runCount === 0;
    if (!spec || !deploymentId || !waitsForItsStart || !isAskedAbout(spec)) return null;
    const known = this.#asked.get(id);
    if (known) return known;
    const answer = this.#ask(id, deploymentId, spec).finally(() => this.#asked.delete(id));
    this.#asked.set(id, answer);
    return answer;
  }

  async #ask(id: FlowRunId, deploymentId: DeploymentId, spec: RunSpec): Promise<StateCreate | null> {
    const { limits, objects, label, supersede } = this.#parts;
    const { debounce, throttle } = await limits.of(deploymentId);
    if (debounce === null && throttle === null) return null;
    const owner = keyedLimitOwner(objects, deploymentId);
    const now = clock.now();
    let at = now;
    if (debounce !== null) at = (at + debounce.seconds * 1_000) as EpochMs;
    if (throttle !== null) at = await owner.throttle(keyOf(throttle.key, spec), throttle, at);
    await label(id, { [TRIGGERED_LABEL]: toWireTime(at) });
    if (debounce !== null) {
      const before = await owner.debounce(keyOf(debounce.key, spec), id, debounce.seconds);
      if (before !== null) await supersede(before);
    }
    return at > now ? putOff(at, debounce !== null) : null;
  }
}

/** Runs that a schedule made by itself and that were not asked about; backfills are as many as was said. */
function isAskedAbout({ createdBy, labels }: RunSpec): boolean {
  return (
    createdBy?.type === "SCHEDULE" && labels[TRIGGERED_LABEL] === undefined && labels[BACKFILL_LABEL] === undefined
  );
}

function putOff(at: EpochMs, isDebounced: boolean): StateCreate {
  return {
    type: "SCHEDULED",
    name: null,
    message: whyPutOff(isDebounced),
    data: null,
    state_details: { ...NO_DETAILS, scheduled_time: toWireTime(at) },
  };
}
