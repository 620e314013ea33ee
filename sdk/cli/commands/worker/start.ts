/** `sluice worker start`: takes runs from a work pool and runs each in a process of its own. */
import { createClient } from "../../../client/api-client.ts";
import { Runner, type RunnerEvent } from "../../../runner/runner.ts";
import { defineCommand } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import type { Output } from "../../output.ts";
import { flag, integer, repeated, required, text, withDefault } from "../../parameters.ts";
import { printable } from "../../run-lines.ts";

const GOODBYE_MS = 500;

export const workerStart = defineCommand({
  noun: "worker",
  verb: "start",
  summary: "Take runs from a work pool and run them on this machine.",
  arguments: {},
  options: {
    pool: required(text("Work pool to take runs from.", { placeholder: "name", short: "p", env: "SLUICE_WORK_POOL" })),
    name: text("Name of this worker, unique in its pool. Default: machine and process number.", {
      placeholder: "name",
      short: "n",
      env: "SLUICE_WORKER_NAME",
    }),
    limit: withDefault(
      integer("Runs at the same time.", { min: 1, max: 10_000, short: "l", env: "SLUICE_WORKER_LIMIT" }),
      10,
    ),
    workQueue: repeated(
      text("Take runs of this queue only; may be given several times.", { placeholder: "name", short: "q" }),
    ),
    createPoolIfNotFound: flag("Create the work pool if there is none."),
    killGrace: withDefault(integer("Seconds that a process gets to end before it is killed.", { max: 3_600 }), 10),
  },
  examples: ["sluice worker start --pool local", "sluice worker start --pool local --limit 4 --work-queue urgent"],
  async run({ options, connection, output }) {
    const runner = new Runner({
      client: createClient({ url: connection.apiUrl, key: connection.apiKey ?? null }),
      poolName: options.pool,
      ...(options.name === undefined ? {} : { workerName: options.name }),
      limit: options.limit,
      workQueueNames: options.workQueue,
      createPoolIfNotFound: options.createPoolIfNotFound,
      killGraceMs: options.killGrace * 1_000,
      onEvent: (event) => show(event, output, { name: runner.workerName, pool: options.pool, url: connection.apiUrl }),
    });
    let signals = 0;
    const stop = (signal: NodeJS.Signals): void => {
      signals++;
      if (signals === 1) runner.drain(`${signal} was received`);
      else void runner.stopNow(`${signal} was received again`);
    };
    const watched = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
    for (const signal of watched) process.on(signal, stop);
    runner.start();
    const { error } = await runner.stopped;
    for (const signal of watched) process.off(signal, stop);
    if (error !== null) throw error;
    const exitCode = signals > 1 ? EXIT.interrupted : EXIT.ok;
    // A server that does not answer the close of the connection must not keep a worker that is done.
    setTimeout(() => process.exit(exitCode), GOODBYE_MS).unref();
    return exitCode;
  },
});

function show(event: RunnerEvent, output: Output, worker: { name: string; pool: string; url: string }): void {
  switch (event.kind) {
    case "state": {
      const { state } = event;
      const text = {
        connecting: () =>
          state.kind === "connecting" && state.because !== null
            ? `Not connected (attempt ${state.attempt}): ${state.because}`
            : `Worker "${worker.name}" connects to work pool "${worker.pool}" at ${worker.url} …`,
        online: () => `Worker "${worker.name}" is online. Stop it with Ctrl-C.`,
        draining: () =>
          `${state.kind === "draining" ? state.because : ""}: no new runs are taken; those that run are waited for. Once more to stop them too.`,
        stopped: () => `Worker "${worker.name}" has stopped.`,
      }[state.kind]();
      const because = "error" in state && state.error !== null ? { error: state.error.toBody() } : {};
      return output.event({ event: "state", worker: worker.name, ...state, ...because }, text);
    }
    case "run-started":
      return output.event(
        { event: "run-started", flow_run_id: event.ticket.flow_run_id, name: event.ticket.name, pid: event.pid },
        `${event.ticket.name} │ started (${event.ticket.entrypoint ?? "no entrypoint"}, process ${event.pid ?? "none"})`,
      );
    case "output":
      return output.event(
        { event: "output", flow_run_id: event.ticket.flow_run_id, stream: event.stream, line: event.line },
        `${event.ticket.name} │ ${printable(event.line)}`,
      );
    case "run-ended":
      return output.event(
        { event: "run-ended", flow_run_id: event.ticket.flow_run_id, name: event.ticket.name, trouble: event.trouble },
        `${event.ticket.name} │ ${event.trouble === null ? "done" : printable(event.trouble)}`,
      );
    case "report-failed":
      return output.event(
        {
          event: "report-failed",
          flow_run_id: event.ticket.flow_run_id,
          because: event.because,
          given_up: event.givenUp,
        },
        `${event.ticket.name} │ its end could not be reported: ${event.because}${event.givenUp ? "" : " It is tried again."}`,
      );
    default:
      event satisfies never;
  }
}
