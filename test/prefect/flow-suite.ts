/** Runs scenarios against one server, several at once, the longest first. */
import { setTimeout as sleep } from "node:timers/promises";
import { FlowSession, type FlowSessionOptions, type Outcome, type Scenario } from "./flow-sessions.ts";

export interface FlowSuiteOptions extends FlowSessionOptions {
  readonly processes: number;
  /** Of scenarios in one process. */
  readonly atOnce: number;
  /** The processes end with it, too: they are in process groups of their own, which no signal of a terminal reaches. */
  readonly owner: AsyncDisposableStack;
  readonly wanted: (scenario: Scenario) => boolean;
  /** Whether this outcome is the one that is hoped for; otherwise it is read again for a while. */
  readonly isRight: (outcome: Outcome) => boolean;
  readonly onDone: (scenario: Scenario, outcome: Outcome, seconds: number) => void;
}

/** Copies and logs may still be on their way when the program has ended. */
const ARRIVES_WITHIN_MS = 5_000;

export async function runFlowSuite(options: FlowSuiteOptions): Promise<void> {
  await using sessions = options.owner.use(new AsyncDisposableStack());
  const opened = await Promise.all(Array.from({ length: options.processes }, () => FlowSession.open(options)));
  for (const session of opened) sessions.use(session);
  const [scenarios = []] = await Promise.all(opened.map((session) => session.scenarios));
  const queue = scenarios.filter(options.wanted).sort((one, other) => other.deadlineS - one.deadlineS);
  const lane = async (session: FlowSession): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const startedAt = performance.now();
      const outcome = await untilRight(session, await session.run(next), options.isRight);
      if (sessions.disposed) return;
      options.onDone(next, outcome, (performance.now() - startedAt) / 1_000);
    }
  };
  await Promise.all(opened.flatMap((session) => Array.from({ length: options.atOnce }, () => lane(session))));
}

async function untilRight(
  session: FlowSession,
  first: Outcome,
  isRight: (outcome: Outcome) => boolean,
): Promise<Outcome> {
  let outcome = first;
  const giveUpAt = performance.now() + ARRIVES_WITHIN_MS;
  while (outcome.error === null && !isRight(outcome) && performance.now() < giveUpAt) {
    await sleep(300);
    outcome = await session.read(first.name);
  }
  return outcome;
}
