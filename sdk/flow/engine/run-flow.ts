/** Runs one flow to its end: asks to start, attempts, reports, waits for retries, obeys what its owner says. */
import { CONTINUING, NO_DETAILS, type State, type StateType } from "../../protocol/states.ts";
import { type EpochMs, fromWireTime, toWireTime } from "../../protocol/time.ts";
import { type Clock, sleep } from "../clock.ts";
import { persistsResults } from "../configuration.ts";
import type { FlowContext } from "../context.ts";
import { formatDuration } from "../duration.ts";
import {
  allowsRetry,
  errorMessage,
  errorStack,
  FlowRunRefusedError,
  FlowRunStoppedError,
  TimedOutError,
} from "../errors.ts";
import type { FlowDefinition } from "../flow.ts";
import { callHooks, type Hooks } from "../hooks.ts";
import { secretParameters } from "../parameter-schema.ts";
import { RunMemory } from "../results/run-memory.ts";
import { parseParameters } from "../standard-schema.ts";
import type { RunSession, StopRequest } from "./backend.ts";
import type { HandOver } from "./budget.ts";
import { captureConsole } from "./console-capture.ts";
import { echo } from "./echo.ts";
import { Execution, type ExecutionOptions } from "./execution.ts";
import { FlowRunContext } from "./flow-run-context.ts";
import { collected } from "./generators.ts";
import type { ItemStream } from "./item-stream.ts";
import { limited } from "./limited.ts";
import { newUuid } from "./new-id.ts";
import { onAbort } from "./on-abort.ts";
import { type EndProposal, type Outcome, returned, threw } from "./outcome.ts";
import { endLine, type RunLines, runLines, startLine } from "./run-lines.ts";
import { currentScope, inScope, type Scope } from "./scope.ts";
import { type RunSpan, startSpan, TRACEPARENT_LABEL } from "./tracing.ts";
import { untilDueMs } from "./until-due.ts";

/** What became of a flow run: its last state, and what its function answered or threw. */
export type FlowOutcome =
  | { readonly kind: "returned"; readonly state: State; readonly value: unknown }
  | { readonly kind: "threw"; readonly state: State; readonly error: unknown };

const CANCELLED: EndProposal = { type: "CANCELLED", message: "The flow run was cancelled." };

/** A state that a run is to get, at its end or for a while. */
interface Proposal extends EndProposal {
  readonly dueAt?: EpochMs;
  /** False: a failure that no other attempt would mend. */
  readonly retriable?: false;
}

const CONTINUED: Proposal = {
  type: "SCHEDULED",
  name: CONTINUING,
  message: "The time budget of its platform was used up; it goes on in another request.",
};

/** How one call differs from others of its flow. */
export interface FlowCall {
  /** The run that called it; absent for one that nobody's did. */
  readonly caller?: Scope | null;
  /** What `this` is in the function. */
  readonly self?: unknown;
  /** Where the items of a generator go one by one; absent when they are only wanted as a list. */
  readonly stream?: ItemStream | null;
  /** What the process that executes it may use; absent for all that it is configured to. */
  readonly limits?: Pick<ExecutionOptions, "budget" | "resultStorage">;
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
  const { caller = null, stream = null, limits = {} } = call;
  const execution = new Execution({
    ...limits,
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
    callerSignal && onAbort(callerSignal, () => execution.stop(asChild(caller?.execution.stopRequest ?? null)));
  const span = (await startFlowSpan(flow, session)) ?? null;
  let ended: State | null = null;
  try {
    const runner = new FlowRunner(flow, execution, session, { ...call, stream }, span);
    const outcome = await runner.run(parameters);
    ended = outcome.state;
    await runner.callEndHooks(outcome.state);
    return outcome;
  } finally {
    span?.end(ended);
    forget?.();
    execution.end();
    release?.();
    await session.close();
  }
}

/** What a stop of the caller means for the run that it called. */
function asChild(request: StopRequest | null): StopRequest {
  // Another process goes on with the caller, and continues the child with it.
  if (request?.action === "lost") return request;
  if (request?.action === "hand over") {
    return {
      action: "lost",
      error: new FlowRunStoppedError("Another process goes on with the flow run that called it.", null),
    };
  }
  return { action: "cancel", state: null };
}

/** Null, at once, where no tracer is configured. */
async function startFlowSpan(flow: FlowDefinition, session: RunSession): Promise<RunSpan | null> {
  const { id, name, tags, parameters, labels } = session.run;
  const run = { type: "flow", id, name, tags: [...new Set([...flow.tags, ...tags])], parameters, labels } as const;
  const span = await startSpan(run, currentScope()?.span ?? null);
  if (span === null) return null;
  try {
    await session.addLabels({ [TRACEPARENT_LABEL]: span.traceparent });
  } catch (error) {
    // The trace itself goes on without it.
    echo("warn", name, `The run's trace was not told to the control plane. ${errorMessage(error)}`);
  }
  return span;
}

class FlowRunner {
  readonly #flow: FlowDefinition;
  readonly #execution: Execution;
  readonly #session: RunSession;
  readonly #call: FlowCall;
  readonly #span: RunSpan | null;
  readonly #lines: RunLines | null;
  readonly #startedAt: EpochMs;
  #runCount: number;

  constructor(flow: FlowDefinition, execution: Execution, session: RunSession, call: FlowCall, span: RunSpan | null) {
    this.#call = call;
    this.#span = span;
    this.#lines = runLines(flow.logValues);
    this.#startedAt = execution.clock.now();
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
    let begin: Proposal = { type: "RUNNING" };
    for (;;) {
      const begun = await this.#propose(begin);
      if (begun.type !== "RUNNING") return this.#stopped(begun);
      this.#execution.beginAttempt(++this.#runCount);
      const early = this.#execution.stopRequest;
      // It was to stop before it began: its code may not listen, and does nothing then.
      if (early !== null) return this.#stopped(await this.#obey(early));
      this.#tellOfStart();
      await this.#callHooks(this.#flow.hooks.onRunning, begun);
      const outcome = await this.#attempt(parameters);
      const { stopRequest } = this.#execution;
      if (stopRequest !== null) return this.#stopped(await this.#obey(stopRequest));
      if (outcome.ok) this.#tellOfEnd(outcome.value);
      else this.#span?.threw(outcome.error);
      const isFinal = !outcome.ok && !allowsRetry(outcome.error);
      const state = await this.#propose(isFinal ? { ...outcome.proposal, retriable: false } : outcome.proposal);
      if (outcome.ok) {
        return state.type === "COMPLETED" ? { kind: "returned", state, value: outcome.value } : this.#stopped(state);
      }
      if (state.type !== "SCHEDULED") {
        const line = `Finished in state ${state.name} after ${this.#duration}. ${errorStack(outcome.error)}`;
        this.#execution.log("error", line, null);
        return { kind: "threw", state, error: outcome.error };
      }
      this.#tellOfRetry(state, outcome.error);
      const ended = await this.#waitUntilDue(state);
      if (ended !== null) return this.#stopped(ended);
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
    await inScope(this.#scope(context), () =>
      callHooks(hooks, context, state, (level, message) => this.#execution.log(level, message, null)),
    );
  }

  async #attempt(parameters: unknown): Promise<Outcome> {
    const { clock, signal } = this.#execution;
    const { timeoutMs } = this.#flow;
    const context = this.#context();
    const cleanUpMs = (): number => this.#execution.cleanUpMs;
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
      const limits = { clock, signal, timeoutMs, cleanUpMs, onTimeout };
      const run = (): Promise<Outcome> => limited(code, limits);
      return await inScope(this.#scope(context), () => this.#span?.inside(run) ?? run());
    } catch (error) {
      this.#execution.endAttempt(error);
      await this.#execution.tasksEnded();
      return threw(error);
    }
  }

  #scope(flow: FlowContext): Scope {
    const tags = this.#call.caller?.tags;
    const own = { ...(tags === undefined ? {} : { tags }), ...(this.#span === null ? {} : { span: this.#span }) };
    return { execution: this.#execution, flow, task: null, ...own };
  }

  get #duration(): string {
    return formatDuration(this.#execution.clock.now() - this.#startedAt);
  }

  #tellOfStart(): void {
    if (this.#lines === null) return;
    const { id, parameters } = this.#session.run;
    const secret = this.#lines.hasValues ? secretParameters(this.#flow.parameters) : undefined;
    const line = startLine(this.#lines, `flow "${this.#flow.name}" (${id})`, this.#runCount, parameters, secret);
    this.#execution.log("info", line, null);
  }

  /** Told before the state is proposed, so that it travels with it: the line tells of the function, not of the verdict. */
  #tellOfEnd(value: unknown): void {
    if (this.#lines === null) return;
    const spanMs = this.#execution.clock.now() - this.#startedAt;
    this.#execution.log("info", endLine(this.#lines, "Completed", spanMs, value), null);
  }

  #stopped(state: State): FlowOutcome {
    // Its owner has it from somebody else, and may take no more lines of it.
    echo(
      hasFailed(state.type) ? "warn" : "info",
      this.#session.run.name,
      `Stopped in state ${state.name} after ${this.#duration}.`,
    );
    return stopped(state);
  }

  #tellOfRetry(state: State, error: unknown): void {
    const attempts = (this.#flow.policy.retries ?? 0) + 1;
    const delayMs = untilDueMs(state);
    const when = delayMs > 0 ? `in ${formatDuration(delayMs)}` : "at once";
    const message = `Attempt ${this.#runCount} of ${attempts} failed; the next starts ${when}. ${errorStack(error)}`;
    this.#execution.log("warn", message, null);
  }

  #context(): FlowContext {
    const owner = { flow: this.#flow, session: this.#session, caller: this.#call.caller?.flow ?? null };
    return new FlowRunContext(owner, this.#runCount, this.#execution.signal);
  }

  /**
   * Proposes a state until there is a verdict other than "wait", and answers the state that the run is then in. Throws
   * FlowRunRefusedError when the run's owner aborts it.
   */
  async #propose(proposal: Proposal): Promise<State> {
    const { type, name = null, message = null, dueAt, retriable = null } = proposal;
    const scheduled_time = dueAt === undefined ? null : toWireTime(dueAt);
    const transitionId = newUuid(this.#execution.clock.now());
    for (;;) {
      const { status, state, details } = await this.#session.propose({
        type,
        name,
        message,
        data: null,
        state_details: { ...NO_DETAILS, scheduled_time, retriable, transition_id: transitionId },
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
      this.#span?.entered(state);
      return state;
    }
  }

  async #waitUntilDue(state: State): Promise<State | null> {
    const { budget } = this.#execution;
    const dueAt = fromWireTime(state.state_details.scheduled_time ?? state.timestamp);
    if (budget !== null && !budget.lastsUntil(dueAt)) {
      // Only a retry waits for this process; what waits for anything else is in its pool's hands already.
      return state.name === "AwaitingRetry" ? await this.#propose({ ...CONTINUED, dueAt }) : state;
    }
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
    if (request.action === "hand over") return await this.#propose(continuation(request));
    return request.action === "cancel" ? await this.#propose(CANCELLED) : request.state;
  }
}

function continuation({ dueAt, isStuck }: HandOver): Proposal {
  if (!isStuck) return dueAt === null ? CONTINUED : { ...CONTINUED, dueAt };
  return {
    type: "CRASHED",
    message:
      "The time budget of its platform was over before any task had ended and kept its result, so it would come no " +
      "further. Make tasks smaller, give it a larger budget, or let its tasks persist their results.",
  };
}

/** Whether the end of a run's part here is bad news. */
function hasFailed(type: StateType): boolean {
  return type !== "COMPLETED" && type !== "SCHEDULED" && type !== "PAUSED";
}

function stopped(state: State): FlowOutcome {
  const said = state.message ? ` ${state.message}` : "";
  return { kind: "threw", state, error: new FlowRunStoppedError(`The flow run is ${state.name}.${said}`, state) };
}
