import { describe, it } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import type { State } from "../../../sdk/protocol/states.ts";
import type { RunTicket } from "../../../sdk/protocol/worker-channel.ts";
import { runCommand } from "../../../sdk/runner/command-run.ts";
import type { JobEnd } from "../../../sdk/runner/infrastructure.ts";
import { type TinyControlPlane, type TinyRun, tinyControlPlane } from "../tiny-control-plane.ts";
import { until } from "../until.ts";

const OK: JobEnd = { code: 0, signal: null, reported: false, lastError: null, reason: null };
const NO: JobEnd = { ...OK, code: 3, lastError: "Error: no" };
const TERMINATED: JobEnd = { ...OK, code: null, signal: "SIGTERM" };

/** A run whose command ends as `ends` say, one for each attempt; null goes on until it is terminated. */
function commandRun(plane: TinyControlPlane, ends: readonly (JobEnd | null)[], retryAfterSeconds = 0) {
  const run = plane.createRun({ generation: 1, parameters: { n: 7 } });
  run.record = { ...run.record, policy: { ...run.record.policy, retries: 1, retry_delay: retryAfterSeconds } };
  const ending = new AbortController();
  const given: unknown[] = [];
  const ended = runCommand({
    client: createClient({ url: plane.url }),
    ticket: { flow_run_id: run.id, generation: 1 } as RunTicket,
    ending: ending.signal,
    start(parameters, onLine) {
      const end = ends[given.push(parameters) - 1];
      onLine("out", "stdout");
      onLine("err", "stderr");
      const gone = Promise.withResolvers<JobEnd>();
      if (end) gone.resolve(end);
      return { ended: gone.promise, terminate: () => gone.resolve(TERMINATED) };
    },
  });
  return { run, ending, ended, given };
}

const names = (run: TinyRun): string[] => run.states.map(({ name }) => name);

describe("a command that is the work of a run", () => {
  it("gets the run's parameters, is tried again by the run's policy, and its output is the run's log", async ({
    expect,
  }) => {
    await using plane = await tinyControlPlane();
    const { run, ended, given } = commandRun(plane, [NO, OK]);
    await ended;
    expect(names(run)).toEqual(["Pending", "Running", "AwaitingRetry", "Running", "Completed"]);
    expect(given).toEqual([{ n: 7 }, { n: 7 }]);
    const lines = run.stored.flatMap((one) => (one.kind === "log" ? [[one.log.level, one.log.message]] : []));
    expect(lines.slice(0, 2)).toEqual([
      [20, "out"],
      [40, "err"],
    ]);
  });

  it.for<[string, JobEnd, object]>([
    ["code 3", NO, { type: "FAILED", message: "The command ended with code 3. Its last error: Error: no" }],
    ["a signal", { ...OK, code: null, signal: "SIGKILL" }, { type: "CRASHED" }],
    [
      "a reason of its place",
      { ...NO, reason: "The node is gone." },
      { type: "CRASHED", message: "The node is gone." },
    ],
  ])("ends the run by %s", async ([, end, wanted], { expect }) => {
    await using plane = await tinyControlPlane();
    const { run, ended } = commandRun(plane, [end, end]);
    await ended;
    expect(run.states.at(-1)).toMatchObject(wanted);
  });

  it("is terminated when the run is cancelled", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { run, ended } = commandRun(plane, [null]);
    await until("it runs", () => names(run).includes("Running"));
    plane.setState(run, "CANCELLING");
    await ended;
    expect(names(run)).toEqual(["Pending", "Running", "Cancelling", "Cancelled"]);
  });

  it("is not started for a run that was cancelled on its way, which ends Cancelled", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { run, ended, given } = commandRun(plane, [OK]);
    plane.setState(run, "CANCELLING");
    await ended;
    expect([given, names(run)]).toEqual([[], ["Pending", "Cancelling", "Cancelled"]]);
  });

  it("that ends in the moment in which the run is cancelled leaves it Cancelled", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { run, ended } = commandRun(plane, [OK]);
    plane.faults.fate = (frame) => {
      const ends = frame.type === "propose" && frame.state.type === "COMPLETED";
      if (ends) run.record = { ...run.record, state: { ...(run.record.state as State), type: "CANCELLING" } };
      return "deliver";
    };
    await ended;
    expect(run.states.at(-1)?.type).toBe("CANCELLED");
  });

  it("is not waited for until its next attempt when the run is cancelled meanwhile", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { run, ended, given } = commandRun(plane, [NO, OK], 3_600);
    await until("it waits", () => names(run).includes("AwaitingRetry"));
    plane.setState(run, "CANCELLING");
    await ended;
    expect(names(run).slice(-2)).toEqual(["Cancelling", "Cancelled"]);
    expect(given).toHaveLength(1);
  });

  it("is Crashed when its worker stops while it waits for its next attempt", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { run, ending, ended, given } = commandRun(plane, [NO, OK], 3_600);
    await until("it waits", () => names(run).includes("AwaitingRetry"));
    ending.abort();
    await ended;
    expect(run.states.at(-1)).toMatchObject({
      type: "CRASHED",
      message: expect.stringContaining("worker was stopped"),
    });
    expect(given).toHaveLength(1);
  });
});
