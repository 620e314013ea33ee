/**
 * A run's part in its deployment's keyed limit: asks for the slot at the claim, and gives it back. The key stands on the
 * run's label; a run that was made before its deployment had a key gets its label when it is claimed.
 */
import { usesSlot } from "#machine/occupancy";
import { KEY_LABEL, keyOf } from "#protocol/flow-control";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { clock } from "./clock.ts";
import type { KeyedLimit } from "./deployment-limits.ts";
import { keyedLimitOwner } from "./keyed-limit-owner.ts";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";

export interface KeyedReserverParts {
  readonly store: RunStore;
  readonly objects: Env["KEYED_LIMITS"];
  /** Cancels a run, wherever it is. */
  supersede(id: FlowRunId): Promise<void>;
  /** Writes a run's key down. */
  label(id: FlowRunId, key: string): Promise<unknown>;
}

export class KeyedReserver {
  readonly #parts: KeyedReserverParts;

  constructor(parts: KeyedReserverParts) {
    this.#parts = parts;
  }

  /** Asks for the slot of the run's key: it has it, waits for it, or is not to run. */
  async ask(
    id: FlowRunId,
    row: RunRow,
    spec: RunSpec & { readonly deploymentId: DeploymentId },
    { settings, version }: KeyedLimit,
  ): Promise<"granted" | "waits" | "dropped"> {
    const known = spec.labels[KEY_LABEL];
    const key = known === undefined ? keyOf(settings.key, spec) : String(known);
    if (known === undefined) await this.#parts.label(id, key);
    const now = clock.now();
    const answer = await keyedLimitOwner(this.#parts.objects, spec.deploymentId).ask({
      run: id,
      key,
      settings,
      version,
      askedAt: now,
      since: Math.min(now, row.record.expectedStartTime ?? now) as EpochMs,
      priority: spec.placement?.queue.priority ?? 1,
    });
    if (answer.kind !== "replaces") return answer.kind;
    await Promise.all(answer.runs.map((run) => this.#parts.supersede(run)));
    return "waits";
  }

  /** Gives the slot or the place in line back, unless the run was claimed again since. */
  async giveBack(id: FlowRunId): Promise<void> {
    const record = this.#parts.store.run(id)?.record;
    if (!record?.state || usesSlot(record)) return;
    await this.#release(id, this.#parts.store.spec(id), fromWireTime(record.state.timestamp));
  }

  /** Gives back what was asked for just now and is not used. */
  async settle(id: FlowRunId): Promise<void> {
    const record = this.#parts.store.run(id)?.record;
    if (record && usesSlot(record)) return;
    await this.#release(id, this.#parts.store.spec(id), clock.now());
  }

  /** The run is deleted. */
  async removed(id: FlowRunId, spec: RunSpec | null): Promise<void> {
    await this.#release(id, spec, clock.now());
  }

  async #release(id: FlowRunId, spec: RunSpec | null, upTo: EpochMs): Promise<void> {
    if (!spec?.deploymentId || spec.labels[KEY_LABEL] === undefined) return;
    await keyedLimitOwner(this.#parts.objects, spec.deploymentId).release(id, upTo);
  }
}
