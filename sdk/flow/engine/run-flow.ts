/** Runs one flow to its end: asks to start, attempts, reports, waits for retries, obeys what its owner says. */
import { NO_DETAILS, type State } from "../../protocol/states.ts";
import { type Clock, sleep } from "../clock.ts";
import { persistsResults } from "../configuration.ts";
import type { FlowContext } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { errorMessage, errorStack, FlowRunRefusedError, FlowRunStoppedError, TimedOutError } from "../errors.ts";
import type { FlowDefinition } from "../flow.ts";
import { callHooks, type Hooks } from "../hooks.ts";
import { logger } from "../logger.ts";
import { RunMemory } from "../results/run-memory.ts";
import { parseParameters } from "../standard-schema.ts";
import type { RunSession, StopRequest } from "./backend.ts";
import { captureConsole } from "./console-capture.ts";
import { echo } from "./echo.ts";
import { Execution } from "./execution.ts";
import { collected } from "./generators.ts";
import type { ItemStream } from "./item-stream.ts";
import { limited } from "./limited.ts";
import { newUuid } from "./new-id.ts";
import { onAbort } from "./on-abort.ts";
import { type EndProposal, type Outcome, returned, threw } from "./outcome.ts";
import { inScope, type Scope } from "./scope.ts";
import { untilDueMs } from "./until-due.ts";

/** What became of a flow run: its last state, and what its function answered or threw. */
export type FlowOutcome =
  | { readonly kind: "returned"; readonly state: State; readonly value: unknown }
  | { readonly kind: "threw"; readonly state: State; readonly error: unknown };

const CANCELLED: EndProposal = { type: "CANCELLED", message: "The flow run was cancelled." };

/** How one call differs from others of its flow. */
export interface FlowCall {
  /** The run that called it; absent for one that nobody's did. */
  readonly caller?: Scope | null;
  /** What `this` is in the function. */
  readonly self?: unknown;
  /** Where the items of a generator go one by one; absent when they are only wanted as a list. */
  readonly stream?: ItemStream | null;
}

/** The least wait when the owner of the run asks for one of less than a second. */
const LEAST_WAIT_MS = 50;

/**
 * Runs a flow. `parameters` are as the caller gave them; where a run called it, the end of that one is its own, and its
 * tasks are kept as those of that one are. Throws when the owner of the run is lost or refuses it; what the flow itself
 * throws is in the outcome.
 */
export async function runFlow(
  flow: FlowDefinition,
  session: RunSession,
  parameters: unknown,
  clock: Clock,
  call: FlowCall = {},
): Promise<FlowOutcome> {
  const { caller = null, stream = null } = call;
  const execution = new Execution({
    session,
    clock,
    captureConsole: flow.captureConsole,
    concurrency: flow.concurrency,
    remembersTasks: (flow.policy.retries ?? 0) > 0,
    memory: new RunMemory(
      session.run.id,
      flow.persist ?? caller?.execution.memory?.persists ?? persistsResults() ?? session.run.deploymentId !== null,
      session.run.runCount > 0,
    ),
  });
  const release = flow.captureConsole ? captureConsole() : null;
  session.onStop((request) => execution.stop(request));
  const callerSignal = caller?.task?.signal ?? caller?.flow?.signal ?? null;
  const forget =
    callerSignal &&
    onAbort(callerSignal, () => {
      // When the caller's owner does not listen to this process any more, another one may have the child.
      const request = caller?.execution.stopRequest;
      execution.stop(request?.action === "lost" ? request : { action: "cancel", state: null });
    });
  const startedAt = clock.now();
  try {
    const runner = new FlowRunner(flow, execution, session, { ...call, stream });
    const outcome = await runner.run(parameters);
    await runner.callEndHooks(outcome.state);
    const { type, name } = outcome.state;
    const span = formatDuration(clock.now() - startedAt);
    echo(type === "COMPLETED" ? "info" : "error", session.run.name, `Finished in state ${name} after ${span}.`);
    return outcome;
  } finally {
    forget?.();
    execution.end();
    release?.();
    await session.close();
  }
}

class FlowRunner {
  readonly #flow: FlowDefinition;
  readonly #execution: Execution;
  readonly #session: RunSession;
  readonly #call: FlowCall;
  #runCount: number;

  constructor(flow: FlowDefinition, execution: Execution, session: RunSession, call: FlowCall) {
    this.#call = call;
    this.#flow = flow;
    this.#execution = execution;
    this.#session = session;
    this.#runCount = session.run.runCount;
  }

  async run(given: unknown): Promise<FlowOutcome> {
    let parameters: unknown;
    try {
      parameters = await parseParameters(this.#flow.name, this.#flow.parameters, given);
    } catch (error) {
      // Another attempt would get the same parameters: the run fails without having run.
      this.#execution.log("error", errorMessage(error), null);
      return { kind: "threw", state: await this.#propose(threw(error).proposal), error };
    }
    if (this.#session.run.runCount > 0) this.#execution.memory?.learn(await this.#session.knownTasks());
    let begin: EndProposal = { type: "RUNNING" };
    for (;;) {
      const begun = await this.#propose(begin);
      if (begun.type !== "RUNNING") return stopped(begun);
      this.#execution.beginAttempt(++this.#runCount);
      await this.#callHooks(this.#flow.hooks.onRunning, begun);
      const outcome = await this.#attempt(parameters);
      const { stopRequest } = this.#execution;
      if (stopRequest !== null) return stopped(await this.#obey(stopRequest));
      const state = await this.#propose(outcome.proposal);
      if (outcome.ok) {
        return state.type === "COMPLETED" ? { kind: "returned", state, value: outcome.value } : stopped(state);
      }
      if (state.type !== "SCHEDULED") return { kind: "threw", state, error: outcome.error };
      this.#tellOfRetry(state, outcome.error);
      const ended = await this.#waitUntilDue(state);
      if (ended !== null) return stopped(ended);
      begin = { type: "RUNNING", name: "Retrying" };
    }
  }

  /** Calls what is to be called at the end of a run that has this state. */
  async callEndHooks(state: State): Promise<void> {
    const { onCompletion, onFailure, onCancellation, onCrashed } = this.#flow.hooks;
    const byType = { COMPLETED: onCompletion, FAILED: onFailure, CANCELLED: onCancellation, CRASHED: onCrashed };
    await this.#callHooks(byType[state.type as keyof typeof byType], state);
  }

  async #callHooks(hooks: Hooks<FlowContext> | undefined, state: State): Promise<void> {
    if (hooks === undefined) return;
    const context = this.#context();
    const scope = this.#scope(context);
    await inScope(scope, () =>
      callHooks(hooks, context, state, (level, message) => this.#execution.log(level, message, null)),
    );
  }

  async #attempt(parameters: unknown): Promise<Outcome> {
    const { clock, signal } = this.#execution;
    const { timeoutMs } = this.#flow;
    const context = this.#context();
    const onTimeout = (): Error => {
      const error = new TimedOutError(`Flow run "${this.#session.run.name}"`, timeoutMs ?? 0);
      this.#execution.endAttempt(error);
      return error;
    };
    const code = async (): Promise<Outcome> => {
      const { self, stream = null } = this.#call;
      const value = await collected(this.#flow.run.call(self, parameters, context), { stream, signal });
      this.#execution.closeStreams();
      const outcome = await returned(value);
      await this.#execution.tasksEnded();
      return outcome;
    };
    try {
      const scope = this.#scope(context);
      return await inScope(scope, () => limited(code, { clock, signal, timeoutMs, onTimeout }));
    } catch (error) {
      this.#execution.endAttempt(error);
      await this.#execution.tasksEnded();
      return threw(error);
    }
  }

  #scope(context: FlowContext): Scope {
    const tags = this.#call.caller?.tags;
    return { execution: this.#execution, flow: context, task: null, ...(tags === undefined ? {} : { tags }) };
  }

  #tellOfRetry(state: State, error: unknown): void {
    const attempts = (this.#flow.policy.retries ?? 0) + 1;
    const delayMs = untilDueMs(state);
    const when = delayMs > 0 ? `in ${formatDuration(delayMs)}` : "at once";
    const message = `Attempt ${this.#runCount} of ${attempts} failed; the next starts ${when}. ${errorStack(error)}`;
    this.#execution.log("warn", message, null);
  }

  #context(): FlowContext {
    const { run } = this.#session;
    return {
      flowRunId: run.id,
      flowRunName: run.name,
      flowName: this.#flow.name,
      parameters: run.parameters,
      deploymentId: run.deploymentId,
      runCount: this.#runCount,
      signal: this.#execution.signal,
      logger: logger(),
    };
  }

  /**
   * Proposes a state until there is a verdict other than "wait", and answers the state that the run is then in. Throws
   * FlowRunRefusedError when the run's owner aborts it.
   */
  async #propose(proposal: EndProposal): Promise<State> {
    const { type, name = null, message = null } = proposal;
    const transitionId = newUuid(this.#execution.clock.now());
    for (;;) {
      const { status, state, details } = await this.#session.propose({
        type,
        name,
        message,
        data: null,
        state_details: { ...NO_DETAILS, transition_id: transitionId },
      });
      if (details.type === "wait_details") {
        const ended = await this.#wait(details.delay_seconds * 1_000);
        if (ended !== null) return ended;
        continue;
      }
      if (status === "ABORT" || state === null) {
        const reason = details.type === "accept_details" ? null : details.reason;
        const run = `Flow run "${this.#session.run.name}"`;
        throw new FlowRunRefusedError(`${run} may not become ${type}: ${reason ?? "no reason was given."}`, state);
      }
      if (type === "RUNNING" && state.type === "SCHEDULED") {
        // It has to wait for something, for example a free slot.
        const ended = await this.#waitUntilDue(state);
        return ended ?? (await this.#propose(proposal));
      }
      if (state.type === "CANCELLING" && type !== "CANCELLED") return await this.#propose(CANCELLED);
      return state;
    }
  }

  async #waitUntilDue(state: State): Promise<State | null> {
    return await this.#wait(untilDueMs(state));
  }

  /** Waits; null when the time has passed, otherwise the state that the run was brought into meanwhile. */
  async #wait(spanMs: number): Promise<State | null> {
    try {
      await sleep(this.#execution.clock, Math.max(spanMs, LEAST_WAIT_MS), this.#execution.stopSignal);
      return null;
    } catch (error) {
      const { stopRequest } = this.#execution;
      if (stopRequest === null) throw error;
      return await this.#obey(stopRequest);
    }
  }

  /** What has to be said when the run is stopped from outside, and the state that it then is in. */
  async #obey(request: StopRequest): Promise<State> {
    if (request.action === "lost") throw request.error;
    return request.action === "cancel" ? await this.#propose(CANCELLED) : request.state;
  }
}

function stopped(state: State): FlowOutcome {
  const said = state.message ? ` ${state.message}` : "";
  return { kind: "threw", state, error: new FlowRunStoppedError(`The flow run is ${state.name}.${said}`, state) };
}
