import { readFile } from "node:fs/promises";
import { describe, it } from "vitest";
import { transitionTable } from "#machine/transition-table";

describe("the behaviour of every policy", () => {
  it("is this picture", ({ expect }) => {
    expect(transitionTable()).toMatchInlineSnapshot(`
      "### \`flow-run\`: anybody proposes, about a deployed run

      A run of a deployment, due, whose process is known and which has one retry left.

      Rules in order: a-lease-id-is-carried-on, prevent-duplicate-transitions, a-finished-run-is-left-only-to-run-again, a-rescheduled-run-starts-afresh, a-cancelling-run-only-becomes-cancelled, a-paused-run-resumes-or-ends, a-run-without-a-process-is-cancelled-at-once, a-run-is-claimed-by-one, a-run-that-was-taken-back-is-started-once, a-run-keeps-its-place-when-its-pool-is-full, a-run-waits-when-slots-are-taken, a-run-that-lost-its-slot-is-cancelled, only-scheduled-runs-are-marked-late, only-running-runs-are-paused, a-rescheduled-run-is-offered-again, a-continued-run-is-the-same-attempt, a-claim-keeps-the-scheduled-time, a-run-waits-for-its-scheduled-time, a-failed-run-is-retried.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED          | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | --------------- | --------- | ------- | ------ | ---------- |
      | (none)      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | abort  | accept     |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept          | accept    | accept  | keep   | accept     |
      | PENDING     | accept    | abort   | accept  | accept    | accept          | accept    | accept  | keep   | accept     |
      | RUNNING     | accept    | abort   | accept  | accept    | → AwaitingRetry | accept    | accept  | accept | accept     |
      | COMPLETED   | accept    | abort   | abort   | accept    | accept          | accept    | abort   | abort  | abort      |
      | FAILED      | accept    | abort   | abort   | accept    | accept          | accept    | abort   | abort  | abort      |
      | CANCELLED   | accept    | abort   | abort   | accept    | accept          | accept    | abort   | abort  | abort      |
      | CRASHED     | accept    | abort   | abort   | accept    | accept          | accept    | abort   | abort  | abort      |
      | PAUSED      | accept    | keep    | accept  | accept    | accept          | accept    | accept  | keep   | accept     |
      | CANCELLING  | keep      | keep    | keep    | keep      | keep            | accept    | keep    | keep   | keep       |

      ### \`flow-run\`: anybody proposes, about a local run

      A run without deployment, known process or retries.

      Rules in order: a-lease-id-is-carried-on, prevent-duplicate-transitions, a-finished-run-is-left-only-to-run-again, a-rescheduled-run-starts-afresh, a-cancelling-run-only-becomes-cancelled, a-paused-run-resumes-or-ends, a-run-without-a-process-is-cancelled-at-once, a-run-is-claimed-by-one, a-run-that-was-taken-back-is-started-once, a-run-keeps-its-place-when-its-pool-is-full, a-run-waits-when-slots-are-taken, a-run-that-lost-its-slot-is-cancelled, only-scheduled-runs-are-marked-late, only-running-runs-are-paused, a-rescheduled-run-is-offered-again, a-continued-run-is-the-same-attempt, a-claim-keeps-the-scheduled-time, a-run-waits-for-its-scheduled-time, a-failed-run-is-retried.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED | CANCELLED | CRASHED | PAUSED | CANCELLING  |
      | ----------- | --------- | ------- | ------- | --------- | ------ | --------- | ------- | ------ | ----------- |
      | (none)      | accept    | accept  | accept  | accept    | accept | accept    | accept  | abort  | accept      |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | keep   | → Cancelled |
      | PENDING     | accept    | abort   | accept  | accept    | accept | accept    | accept  | keep   | accept      |
      | RUNNING     | accept    | abort   | accept  | accept    | accept | accept    | accept  | accept | accept      |
      | COMPLETED   | abort     | accept  | accept  | accept    | accept | accept    | abort   | abort  | abort       |
      | FAILED      | abort     | accept  | accept  | accept    | accept | accept    | abort   | abort  | abort       |
      | CANCELLED   | abort     | abort   | accept  | accept    | accept | accept    | abort   | abort  | abort       |
      | CRASHED     | abort     | accept  | accept  | accept    | accept | accept    | abort   | abort  | abort       |
      | PAUSED      | accept    | keep    | accept  | accept    | accept | accept    | accept  | keep   | accept      |
      | CANCELLING  | keep      | keep    | keep    | keep      | keep   | accept    | keep    | keep   | keep        |

      ### \`forced\`: a person insists

      A run of a deployment, due, whose process is known and which has one retry left.

      Rules in order: a-lease-id-is-carried-on, a-result-is-not-lost, a-rescheduled-run-starts-afresh, a-run-without-a-process-is-cancelled-at-once, a-rescheduled-run-is-offered-again.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | ------ | --------- | ------- | ------ | ---------- |
      | (none)      | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | PENDING     | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | RUNNING     | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | COMPLETED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | FAILED      | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | CANCELLED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | CRASHED     | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | PAUSED      | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | CANCELLING  | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |

      ### \`claim\`: a holder was lost

      A run of a deployment, due, whose process is known and which has one retry left.

      Rules in order: only-an-unconfirmed-claim-is-given-back, a-lease-id-is-carried-on, a-rescheduled-run-is-offered-again, a-lost-run-is-offered-again.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | ------ | --------- | ------- | ------ | ---------- |
      | (none)      | abort     | abort   | abort   | abort     | abort  | abort     | abort   | abort  | abort      |
      | SCHEDULED   | abort     | abort   | abort   | abort     | abort  | abort     | abort   | abort  | abort      |
      | PENDING     | accept    | abort   | abort   | abort     | abort  | abort     | accept  | abort  | abort      |
      | RUNNING     | accept    | abort   | abort   | abort     | abort  | abort     | accept  | abort  | abort      |
      | COMPLETED   | abort     | abort   | abort   | abort     | abort  | abort     | abort   | abort  | abort      |
      | FAILED      | abort     | abort   | abort   | abort     | abort  | abort     | abort   | abort  | abort      |
      | CANCELLED   | abort     | abort   | abort   | abort     | abort  | abort     | abort   | abort  | abort      |
      | CRASHED     | abort     | abort   | abort   | abort     | abort  | abort     | abort   | abort  | abort      |
      | PAUSED      | accept    | abort   | abort   | abort     | abort  | abort     | accept  | abort  | abort      |
      | CANCELLING  | abort     | abort   | abort   | abort     | abort  | accept    | abort   | abort  | abort      |

      ### \`task-run\`: the process proposes

      A task, due, in its first attempt (if it has begun), with one retry after ten seconds.

      Rules in order: prevent-duplicate-transitions, a-finished-task-stays-as-it-is, a-claim-keeps-the-scheduled-time, a-run-waits-for-its-scheduled-time, a-failed-task-is-retried, a-rerun-is-named-so.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED          | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | --------------- | --------- | ------- | ------ | ---------- |
      | (none)      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | PENDING     | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | RUNNING     | accept    | accept  | accept  | accept    | → AwaitingRetry | accept    | accept  | accept | accept     |
      | COMPLETED   | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | FAILED      | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | CANCELLED   | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | CRASHED     | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | PAUSED      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | CANCELLING  | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |

      ### \`owned-task\`: anybody proposes to the owner

      A task as above, of a flow that runs, without a remembered result.

      Rules in order: prevent-duplicate-transitions, a-remembered-result-is-used, a-finished-task-stays-as-it-is, a-task-waits-when-slots-are-taken, a-task-of-a-retried-flow-is-retrying, a-task-runs-only-while-its-flow-does, a-claim-keeps-the-scheduled-time, a-run-waits-for-its-scheduled-time, a-failed-task-awaits-its-retry, a-rerun-is-named-so, a-task-remembers-its-flows-attempt, a-cache-key-has-a-bounded-length.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED          | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | --------------- | --------- | ------- | ------ | ---------- |
      | (none)      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | PENDING     | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | RUNNING     | accept    | accept  | accept  | accept    | → AwaitingRetry | accept    | accept  | accept | accept     |
      | COMPLETED   | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | FAILED      | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | CANCELLED   | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | CRASHED     | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | PAUSED      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | CANCELLING  | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |

      ### \`background-task\`: the proposal is deferred

      A task as above, of a flow that runs, without a remembered result.

      Rules in order: prevent-duplicate-transitions, a-run-is-claimed-by-one, a-remembered-result-is-used, a-finished-task-stays-as-it-is, a-task-of-a-retried-flow-is-retrying, a-claim-keeps-the-scheduled-time, a-claim-keeps-the-task-parameters, a-run-waits-for-its-scheduled-time, a-failed-task-awaits-its-retry, a-rerun-is-named-so, a-task-remembers-its-flows-attempt, a-cache-key-has-a-bounded-length.

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED          | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | --------------- | --------- | ------- | ------ | ---------- |
      | (none)      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | PENDING     | accept    | abort   | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | RUNNING     | accept    | abort   | accept  | accept    | → AwaitingRetry | accept    | accept  | accept | accept     |
      | COMPLETED   | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | FAILED      | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | CANCELLED   | accept    | abort   | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | CRASHED     | accept    | accept  | accept  | keep      | keep            | keep      | abort   | abort  | abort      |
      | PAUSED      | accept    | accept  | accept  | accept    | accept          | accept    | accept  | accept | accept     |
      | CANCELLING  | accept    | abort   | accept  | accept    | accept          | accept    | accept  | accept | accept     |

      ### \`forced-task\`: a person insists

      A task as above, of a flow that runs, without a remembered result.

      Rules in order: .

      | from ↓ to → | SCHEDULED | PENDING | RUNNING | COMPLETED | FAILED | CANCELLED | CRASHED | PAUSED | CANCELLING |
      | ----------- | --------- | ------- | ------- | --------- | ------ | --------- | ------- | ------ | ---------- |
      | (none)      | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | SCHEDULED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | PENDING     | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | RUNNING     | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | COMPLETED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | FAILED      | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | CANCELLED   | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | CRASHED     | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | PAUSED      | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |
      | CANCELLING  | accept    | accept  | accept  | accept    | accept | accept    | accept  | accept | accept     |"
    `);
  });

  it("is the one in the machine's README; npm run generate writes it", async ({ expect }) => {
    const readme = await readFile(new URL("../../durable-objects/machine/README.md", import.meta.url), "utf8");
    expect(readme).toContain(transitionTable());
  });
});
