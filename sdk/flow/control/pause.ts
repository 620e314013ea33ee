/** Runs that wait for somebody: in their process, or without one. */
import { pause } from "../../client/jitter.ts";
import { SluiceError } from "../../protocol/errors.ts";
import { resumeFlowRun as resumeOperation } from "../../protocol/flow-run-operations.ts";
import { type JsonObject, readFlowRun } from "../../protocol/flow-runs.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import { isTerminal, NO_DETAILS, type State, type StateCreate } from "../../protocol/states.ts";
import { after, ms, toWireTime } from "../../protocol/time.ts";
import { requiredClient } from "../deploy/deployment.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { FlowRunStoppedError } from "../errors.ts";
import { logger } from "../logger.ts";
import { parameterSchema } from "../parameter-schema.ts";
import { parseParameters, type StandardSchema } from "../standard-schema.ts";
import { findInput, flowScope, keepInput, PATIENCE_MS } from "./run-inputs.ts";

/** How a run waits. Everything may be left out. */
export interface PauseOptions<T> {
  /** The run fails when nobody resumes it within this span. Default "1h". */
  readonly timeout?: Duration;
  /** Names the pause within the run: a continued run does not wait again for what is over. Default: its number. */
  readonly key?: string;
  /** What the one who resumes has to give. Default: nothing. */
  readonly input?: StandardSchema<unknown, T>;
  /** Shown beside the form for the input, in Markdown. */
  readonly description?: string;
  /** What the fields of the form hold at first. */
  readonly initialData?: JsonObject;
}

const NEVER_RESUMED: StateCreate = {
  type: "FAILED",
  name: null,
  message: "The flow was paused and never resumed.",
  data: null,
  state_details: NO_DETAILS,
};
const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 3_000;

/**
 * Waits until somebody resumes the run, and answers the input that they gave. The process stays; tasks that run go on.
 *
 * Throws outside of a run, `FlowRunStoppedError` when the run is ended meanwhile (its timeout fails it), and
 * `SluiceError` without a control plane.
 */
export async function pauseFlowRun<T = void>(options: PauseOptions<T> = {}): Promise<T> {
  return (await wait("pauseFlowRun()", false, options)) as T;
}

/**
 * Ends this process's part in the run until somebody resumes it; then the flow runs again from its beginning in a new
 * process, restores its completed tasks, and this call answers the input at once. Only runs of deployments that are
 * nobody's child can be suspended. Throws like {@link pauseFlowRun}; the error that ends the attempt must be let pass.
 */
export async function suspendFlowRun<T = void>(options: PauseOptions<T> = {}): Promise<T> {
  return (await wait("suspendFlowRun()", true, options)) as T;
}

/**
 * Lets a paused or suspended run go on, with the input that it waits for. Throws `SluiceError` when it is not paused, or
 * when the input does not fit.
 */
export async function resumeFlowRun(id: FlowRunId, input?: JsonObject): Promise<void> {
  const body = input === undefined ? {} : { run_input: input };
  const { status, details } = await requiredClient("resumeFlowRun()").call(resumeOperation, { params: { id }, body });
  if (status === "ACCEPT") return;
  const reason = details.type === "accept_details" ? null : details.reason;
  throw new SluiceError("conflict", `Flow run ${id} was not resumed: ${reason ?? "no reason was given."}`, {
    fix: "Resume a run that is paused, with the input that it asks for.",
  });
}

async function wait(what: string, ends: boolean, options: PauseOptions<unknown>): Promise<unknown> {
  const scope = flowScope(what);
  const { execution, flow } = scope;
  // A process whose time is limited does not spend it on waiting.
  const suspends = ends || execution.budget !== null;
  const { session, clock } = execution;
  if (session === null) throw new Error(`${what} was called outside of a flow run.`);
  const client = requiredClient(what);
  const id = flow.flowRunId;
  const timeoutMs = parseDuration(options.timeout ?? "1h", `${what} option "timeout"`);
  const key = options.key ?? String(execution.nextPause());
  const keys = keysOf(key);
  if (options.input) {
    // Before the state, so that whoever sees the run paused finds what it asks for.
    const schema = withInitial(parameterSchema(options.input) ?? { type: "object" }, options.initialData ?? {});
    await keepInput(client, id, keys.schema, schema);
    if (options.description !== undefined) await keepInput(client, id, keys.description, options.description);
  }
  const { status, state, details } = await session.propose({
    type: "PAUSED",
    name: suspends ? "Suspended" : null,
    message: null,
    data: null,
    state_details: {
      ...NO_DETAILS,
      pause_key: key,
      pause_reschedule: suspends,
      pause_timeout: toWireTime(after(clock.now(), ms(timeoutMs))),
      run_input_keyset: options.input ? keys : null,
      transition_id: crypto.randomUUID() as never,
    },
  });
  if (status === "ABORT" || state === null) {
    const reason = details.type === "abort_details" ? details.reason : null;
    throw new Error(`The flow run cannot be ${suspends ? "suspended" : "paused"}. ${reason ?? ""}`.trim());
  }
  if (state.type === "PAUSED" && suspends) {
    logger().info("Suspended: this process ends, and another one goes on when somebody resumes the run.");
    execution.stop({ action: "suspend", state });
    execution.signal.throwIfAborted();
  }
  if (state.type === "PAUSED") {
    logger().info(`Paused until somebody resumes the run. Pause "${key}".`);
    await untilResumed();
    logger().info("Resumed.");
  } else if (state.type === "RUNNING") logger().info(`The pause "${key}" is over already.`);
  else throw ended(state);
  if (!options.input) return undefined;
  const found = await findInput(client, id, keys.response);
  return await parseParameters(flow.flowName, options.input, found?.value ?? {});

  async function untilResumed(): Promise<void> {
    const pausedAt = clock.now();
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 1.5, LAST_LOOK_MS)) {
      const leftMs = timeoutMs - (clock.now() - pausedAt);
      // The control plane ends the pause, too, but it looks after runs that are alive less often.
      if (leftMs <= 0) await session?.propose(NEVER_RESUMED);
      await pause(Math.min(waitMs, Math.max(leftMs, FIRST_LOOK_MS)), scope.task?.signal ?? execution.signal);
      const run = await client.call(readFlowRun, { params: { id } }, { patienceMs: PATIENCE_MS });
      if (run.state?.type === "RUNNING") return;
      if (run.state && isTerminal(run.state.type)) {
        execution.stop({ action: "ended", state: run.state });
        throw ended(run.state);
      }
    }
  }
}

function ended(state: State): FlowRunStoppedError {
  return new FlowRunStoppedError(`The flow run is ${state.name}. ${state.message ?? ""}`.trim(), state);
}

function keysOf(key: string): { schema: string; response: string; description: string } {
  const base = `paused-${key}`;
  return { schema: `${base}-schema`, response: `${base}-response`, description: `${base}-description` };
}

/** The schema with values that a form begins with. */
function withInitial(schema: JsonObject, initial: JsonObject): JsonObject {
  const properties = (schema["properties"] ?? {}) as Record<string, JsonObject>;
  const filled = Object.entries(properties).map(([name, one]) => [
    name,
    name in initial ? { ...one, default: initial[name] } : one,
  ]);
  return filled.length === 0 ? schema : { ...schema, properties: Object.fromEntries(filled) };
}
