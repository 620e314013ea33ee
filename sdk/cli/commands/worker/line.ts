/** What a worker prints about what happens to it and its runs. */
import type { RunnerEvent, RunnerState } from "../../../runner/runner.ts";
import { printable } from "../../run-lines.ts";

interface WorkerName {
  readonly name: string;
  readonly pool: string;
  readonly url: string;
}

/** One event, for programs and for people. */
export function lineOf(event: RunnerEvent, worker: WorkerName): { readonly value: object; readonly text: string } {
  if (event.kind === "state") {
    const { state } = event;
    const because = "error" in state && state.error !== null ? { error: state.error.toBody() } : {};
    return { value: { event: "state", worker: worker.name, ...state, ...because }, text: stateText(state, worker) };
  }
  if (event.kind === "events-failed") {
    const text = `Events of this worker could not be told: ${printable(event.because)}`;
    return { value: { event: event.kind, worker: worker.name, because: event.because }, text };
  }
  const { flow_run_id, name, entrypoint } = event.ticket;
  const run = { event: event.kind, flow_run_id };
  switch (event.kind) {
    case "run-started": {
      const text = `started (${entrypoint ?? "a command"}, process ${event.pid ?? "none"}${event.isWarm ? ", warm" : ""})`;
      return { value: { ...run, name, pid: event.pid, warm: event.isWarm }, text: `${name} │ ${text}` };
    }
    case "output":
      return {
        value: { ...run, stream: event.stream, line: event.line },
        text: `${name} │ ${printable(event.line)}`,
      };
    case "run-ended":
      return {
        value: { ...run, name, trouble: event.trouble },
        text: `${name} │ ${event.trouble === null ? "done" : printable(event.trouble)}`,
      };
    case "report-failed": {
      const text = `its end could not be reported: ${event.because}${event.givenUp ? "" : " It is tried again."}`;
      return { value: { ...run, because: event.because, given_up: event.givenUp }, text: `${name} │ ${text}` };
    }
    default:
      return event satisfies never;
  }
}

function stateText(state: RunnerState, { name, pool, url }: WorkerName): string {
  switch (state.kind) {
    case "connecting":
      return state.because === null
        ? `Worker "${name}" connects to work pool "${pool}" at ${url} …`
        : `Not connected (attempt ${state.attempt}): ${state.because}`;
    case "online":
      return state.via === "socket"
        ? `Worker "${name}" is online. Stop it with Ctrl-C.`
        : `Worker "${name}" is online by requests: something on the way cuts its WebSockets. They are tried again in five minutes.`;
    case "paused":
      return `Run after run could not be started here: ${printable(state.because)} Nothing is taken for ${Math.round(state.pauseMs / 1_000)} s.`;
    case "draining":
      return state.error === null
        ? `${state.because}: no new runs are taken; those that run are waited for. Once more to stop them too.`
        : `${state.because} No new runs are taken; those that run are waited for.`;
    case "stopped":
      return `Worker "${name}" has stopped.`;
    default:
      return state satisfies never;
  }
}
