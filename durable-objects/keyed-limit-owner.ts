/**
 * What the object of a deployment's keyed limit answers to: the calls of the objects that own its runs, and of the
 * Worker. `KeyedLimitObject` implements it; it is named by the deployment's id and holds all keys of the deployment.
 */
import type { KeyedConcurrency } from "#protocol/flow-control";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

export interface KeyedAsk {
  readonly run: FlowRunId;
  readonly key: string;
  readonly settings: KeyedConcurrency;
  /** Of the settings: whoever asks may have read them a moment ago, and the object may know newer ones. */
  readonly version: number;
  /** Of the clock of whoever asks: an answer to an earlier question does not take back this one's. */
  readonly askedAt: EpochMs;
  /** When the run was due; who was due first is served first. */
  readonly since: EpochMs;
  /** 1 is the most urgent. */
  readonly priority: number;
}

export type KeyedAnswer =
  | { readonly kind: "granted" }
  /** The run stands in line and is called. */
  | { readonly kind: "waits" }
  /** As "waits", once these runs were cancelled. */
  | { readonly kind: "replaces"; readonly runs: readonly FlowRunId[] }
  /** The run is not to run. */
  | { readonly kind: "dropped" };

export interface KeyedRow {
  readonly run: FlowRunId;
  readonly key: string;
  readonly since: EpochMs;
}

export interface KeyedLimitOwner {
  /** Asks for a slot of the run's key. A run that has one has it. */
  ask(ask: KeyedAsk): Promise<KeyedAnswer>;
  /** The run neither holds nor wants a slot, as far as it asked no later than `upTo`. */
  release(run: FlowRunId, upTo: EpochMs): Promise<void>;
  /** The limit was changed, or (null) taken away: those in line are served by what holds now. */
  configure(settings: KeyedConcurrency | null, version: number): Promise<void>;
  /** When the next run of a key may begin, which then counts as begun. */
  throttle(key: string, rule: { readonly limit: number; readonly seconds: number }, wanted: EpochMs): Promise<EpochMs>;
  /** Notes the newest run of a key; answers the one before it, if it was noted less than `seconds` ago. */
  debounce(key: string, run: FlowRunId, seconds: number): Promise<FlowRunId | null>;
  /** Who holds and who waits, in order. */
  status(): Promise<{ readonly holders: readonly KeyedRow[]; readonly waiters: readonly KeyedRow[] }>;
  /** The deployment was deleted: so is everything stored here. */
  remove(): Promise<void>;
}

export function keyedLimitOwner(namespace: Env["KEYED_LIMITS"], id: DeploymentId): KeyedLimitOwner {
  return namespace.getByName(id) as unknown as KeyedLimitOwner;
}
