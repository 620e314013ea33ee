/** Where a transcript may differ from that of Prefect's own server, and why that is right. */
import type { Difference, Json } from "./transcript-diff.ts";

export interface AcceptedFlowDifference {
  /** Those whose names match. */
  readonly scenario: RegExp;
  /** Of the paths that `transcript-diff.ts` makes. */
  readonly path: RegExp;
  readonly holds: (difference: Difference) => boolean;
  readonly reason: string;
}

export const ACCEPTED_FLOW_DIFFERENCES: readonly AcceptedFlowDifference[] = [
  {
    scenario: /./,
    path: /\.artifacts(\[\d+\])?$/,
    holds: ({ expected, actual }) => actual === undefined && [expected].flat().every(isKeptResult),
    reason:
      "Prefect's server moves the data of a state into an artifact without key, type and description, and back when the " +
      "state is read. Sluice keeps the data with the state: a row less, and nothing that nobody made in lists of artifacts.",
  },
  {
    scenario: /^pause/,
    path: /\.run_count$/,
    holds: ({ expected, actual }) => expected === 2 && actual === undefined,
    reason:
      "A run that goes on in its own process is the same attempt. Prefect counts it as a new one, so that a pause uses up " +
      "a retry, since it marks the run as resuming only after it has counted.",
  },
  {
    scenario: /^blocks-custom$/,
    path: /^notes\.without secrets\.headers\.token$/,
    holds: ({ actual }) => actual === "********",
    reason: "A secret in a dictionary is a secret: Prefect shows it to readers who did not ask for secrets.",
  },
  {
    scenario: /^commands$/,
    path: /^notes\.\d+ flow-run inspect .*\.state_details\.(deferred|transition_id)$/,
    holds: ({ expected, actual }) => (expected === false && actual === undefined) || actual === "<id>",
    reason:
      "A run that nobody executes is cancelled with what the caller said of the cancellation: its message, and the id by " +
      "which a repeated request is known. Prefect makes a state of its own, without them.",
  },
  {
    scenario: /^deployment-limits$/,
    path: /^flow_runs\[\d+ deployment-limits\.enqueue\]\.states\[[1-4]\]$/,
    holds: ({ expected, actual }) => isCalled(expected, actual),
    reason:
      "A run that waits for a slot says for which one, and is called when it is free: it becomes due then, by a state that " +
      "says so, and not half a minute later. What a worker is answered is the same.",
  },
];

/** The history of a run that was called, beside that of one that looked again by itself. */
function isCalled(expected: Json | undefined, actual: Json | undefined): boolean {
  const waits = 'SCHEDULED AwaitingConcurrencySlot "No slot is free in the concurrency limit "deployment:<id>"."';
  const isDue = 'SCHEDULED AwaitingConcurrencySlot "A slot is free: the run waits for a worker."';
  const pairs: readonly (readonly [Json | undefined, Json | undefined])[] = [
    ["SCHEDULED AwaitingConcurrencySlot", waits],
    ["PENDING Pending", isDue],
    ["COMPLETED Completed", "PENDING Pending"],
    [undefined, "COMPLETED Completed"],
  ];
  return pairs.some(([prefects, ours]) => prefects === expected && ours === actual);
}

function isKeptResult(artifact: Json | undefined): boolean {
  const { key, type, data } = (artifact ?? {}) as { readonly [key: string]: Json | undefined };
  return key === null && type === null && data === "<result>";
}
