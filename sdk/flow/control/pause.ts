/** Runs that wait for somebody: in their process, or without one. */
import { SluiceError } from "../../protocol/errors.ts";
import type { JsonObject } from "../../protocol/flow-runs.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import { requiredClient } from "../deploy/deployment.ts";
import type { Duration } from "../duration.ts";
import type { StandardSchema } from "../standard-schema.ts";

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

/**
 * Waits until somebody resumes the run, and answers the input that they gave. The process stays; tasks that run go on.
 *
 * Throws outside of a run, `FlowRunStoppedError` when the run is ended meanwhile (its timeout fails it), and
 * `SluiceError` without a control plane.
 */
export async function pauseFlowRun<T = void>(options: PauseOptions<T> = {}): Promise<T> {
  const { untilResumed } = await import("./until-resumed.ts");
  return (await untilResumed("pauseFlowRun()", false, options)) as T;
}

/**
 * Ends this process's part in the run until somebody resumes it; then the flow runs again from its beginning in a new
 * process, restores its completed tasks, and this call answers the input at once. Only runs of deployments that are
 * nobody's child can be suspended. Throws like {@link pauseFlowRun}; the error that ends the attempt must be let pass.
 */
export async function suspendFlowRun<T = void>(options: PauseOptions<T> = {}): Promise<T> {
  const { untilResumed } = await import("./until-resumed.ts");
  return (await untilResumed("suspendFlowRun()", true, options)) as T;
}

/**
 * Lets a paused or suspended run go on, with the input that it waits for. Throws `SluiceError` when it is not paused, or
 * when the input does not fit.
 */
export async function resumeFlowRun(id: FlowRunId, input?: JsonObject): Promise<void> {
  const body = input === undefined ? {} : { run_input: input };
  const client = requiredClient("resumeFlowRun()");
  const operations = await import("../../protocol/flow-run-operations.ts");
  const { status, details } = await client.call(operations.resumeFlowRun, { params: { id }, body });
  if (status === "ACCEPT") return;
  const reason = details.type === "accept_details" ? null : details.reason;
  throw new SluiceError("conflict", `Flow run ${id} was not resumed: ${reason ?? "no reason was given."}`, {
    fix: "Resume a run that is paused, with the input that it asks for.",
  });
}
