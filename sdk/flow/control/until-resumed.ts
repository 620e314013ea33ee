/** The waiting of a paused run, and what it asks for. Loaded when a run pauses. */
import { pause } from "../../client/jitter.ts";
import { type JsonObject, readFlowRun } from "../../protocol/flow-runs.ts";
import { isTerminal, NO_DETAILS, type State, type StateCreate } from "../../protocol/states.ts";
import { after, ms, toWireTime } from "../../protocol/time.ts";
import { requiredClient } from "../deploy/deployment.ts";
import { parseDuration } from "../duration.ts";
import { FlowRunStoppedError } from "../errors.ts";
import { logger } from "../logger.ts";
import { parameterSchema } from "../parameter-schema.ts";
import { parseInput } from "../standard-schema.ts";
import type { PauseOptions } from "./pause.ts";
import { findInput, flowScope, keepInput, PATIENCE_MS } from "./run-inputs.ts";

const NEVER_RESUMED: StateCreate = {
  type: "FAILED",
  name: null,
  message: "The flow was paused and never resumed.",
  data: null,
  state_details: NO_DETAILS,
};
const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 3_000;

/** Brings the run into a pause and waits for its end; `ends` says whether this process does not stay. Answers the input. */
export async function untilResumed(what: string, ends: boolean, options: PauseOptions<unknown>): Promise<unknown> {
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
    await resumption();
    logger().info("Resumed.");
  } else if (state.type === "RUNNING") logger().info(`The pause "${key}" is over already.`);
  else throw ended(state);
  if (!options.input) return undefined;
  const found = await findInput(client, id, keys.response);
  return await parseInput(`The input of pause "${key}"`, options.input, found?.value ?? {});

  async function resumption(): Promise<void> {
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
