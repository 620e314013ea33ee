/** What the object of a schedule answers whose runs must not overlap. It is named by the schedule's id. */
import type { FlowRunId } from "#protocol/ids";
import type { OverlapPolicy } from "#protocol/schedule-policies";

/** Whether a run may start now, has to wait for an earlier one, or is not to run at all. */
export type Admission =
  | { readonly kind: "go" }
  | { readonly kind: "wait"; readonly for: FlowRunId }
  | { readonly kind: "skip"; readonly for: FlowRunId };

/** What is between two runs of a schedule that must not overlap; runs of a schedule that may are never asked about. */
export type Restriction = Exclude<OverlapPolicy, "ALLOW">;

export interface ScheduleLineOwner {
  /** Asked before a run is claimed, as often as one likes. */
  admit(id: FlowRunId, overlap: Restriction): Promise<Admission>;
  /** A run has ended, or will not start: the next one that waits is told to. */
  ended(id: FlowRunId): Promise<void>;
}
