/** One claimed run on its worker, from its ticket to its end: what is started, and what is told of it. */
import { describe, it } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import { LIMITS } from "../../../sdk/protocol/limits.ts";
import type { RunTicket } from "../../../sdk/protocol/worker-channel.ts";
import { CannotStartError } from "../../../sdk/runner/cannot-start.ts";
import { type ExecuteOptions, executeTicket, type RunEvent } from "../../../sdk/runner/execute-ticket.ts";
import { type TinyControlPlane, tinyControlPlane } from "../tiny-control-plane.ts";
import { until } from "../until.ts";
import { type FakeJobs, type FakeJobsOptions, fakeJobs, KILLED, REPORTED, SILENT } from "./fake-jobs.ts";

function execute(
  plane: TinyControlPlane,
  jobs: FakeJobs,
  {
    ticket = {},
    options = {},
    key = null,
  }: { ticket?: Partial<RunTicket>; options?: Partial<ExecuteOptions>; key?: string | null } = {},
) {
  const run = plane.createRun({ generation: 4, parameters: { n: 7 } });
  const events: RunEvent[] = [];
  const whole: RunTicket = {
    flow_run_id: run.id,
    name: "silent-elm",
    generation: 4,
    lease_ms: 30_000,
    deployment_id: null,
    entrypoint: "flows.ts:main",
    path: null,
    pull_steps: null,
    job_variables: {},
    work_queue_name: null,
    run_token: null,
    ...ticket,
  };
  const done = executeTicket(whole, {
    client: createClient({ url: plane.url, key }),
    workerName: "w1",
    killGraceMs: 300,
    template: {},
    infrastructure: jobs,
    ending: new AbortController().signal,
    reporting: new AbortController().signal,
    onJob: () => undefined,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const last = () => run.states.at(-1);
  const trouble = () => events.flatMap((event) => (event.kind === "run-ended" ? [event.trouble] : []));
  return { run, events, done, last, trouble };
}

describe("the job of a run", () => {
  it("is told of the run, with a key of its own where there is one", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const jobs = fakeJobs({ ends: REPORTED });
    const first = execute(plane, jobs, { key: "worker's" });
    await first.done;
    await execute(plane, jobs, { key: "worker's", ticket: { run_token: "the run's" } }).done;
    expect(jobs.started[0]?.assignment).toEqual({
      apiUrl: plane.url,
      apiKey: "worker's",
      flowRunId: first.run.id,
      generation: 4,
      entrypoint: "flows.ts:main",
    });
    expect(jobs.started[1]?.assignment.apiKey).toBe("the run's");
  });

  it("that has reported its end is told of no more, and what it needed is cleared away", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const jobs = fakeJobs({ ends: REPORTED });
    const { done, trouble, run } = execute(plane, jobs);
    expect(await done).toBeNull();
    expect([trouble(), plane.givenBack, run.frames, jobs.seen]).toEqual([[null], [], [], ["prepare", "dispose"]]);
  });

  it("is not started when the run is ended while it is prepared", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const ending = new AbortController();
    const jobs = fakeJobs({ before: () => ending.abort() });
    const { done, trouble } = execute(plane, jobs, { options: { ending: ending.signal } });
    await done;
    expect([jobs.started, jobs.seen]).toEqual([[], ["prepare", "dispose"]]);
    expect(trouble()).toEqual(["The run was ended before it was started."]);
  });
});

describe("a run whose job is gone without a word", () => {
  it("is given back where it had not begun, and nothing else is told of it", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    plane.takesBack = true;
    const { done, run } = execute(plane, fakeJobs({ ends: KILLED }));
    expect(await done).toContain("SIGKILL");
    expect(plane.givenBack).toEqual([{ generation: 4, reason: expect.stringMatching(/SIGKILL.* \(Worker "w1"\.\)$/) }]);
    expect(run.frames).toEqual([]);
  });

  it("is Crashed where it had, with the reason and the worker's name", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { done, last, run } = execute(plane, fakeJobs({ ends: { ...KILLED, reason: "The node is gone." } }));
    expect(await done).toBeNull();
    expect(last()).toMatchObject({ type: "CRASHED", message: 'The node is gone. (Worker "w1".)' });
    expect(run.stored.some((one) => one.kind === "log" && one.log.level === 40)).toBe(true);
  });

  it("is Cancelled where it was to be", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const jobs = fakeJobs();
    const { done, last, run } = execute(plane, jobs);
    await until("it is started", () => jobs.started.length > 0);
    plane.setState(run, "CANCELLING");
    jobs.started[0]?.end(KILLED);
    await done;
    expect(last()?.type).toBe("CANCELLED");
  });

  it("is Cancelled where it came to be in the moment of the report", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { done, last, run } = execute(plane, fakeJobs({ ends: KILLED }));
    plane.faults.fate = (frame) => {
      if (frame.type === "propose" && last()?.type === "PENDING") plane.setState(run, "CANCELLING");
      return "deliver";
    };
    await done;
    expect(last()?.type).toBe("CANCELLED");
  });

  it("is left to whoever has claimed it since", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const { done, last, events, run } = execute(plane, fakeJobs({ ends: KILLED }));
    run.generation = 5;
    expect(await done).toBeNull();
    expect(last()?.type).toBe("PENDING");
    expect(events.map(({ kind }) => kind)).toEqual(["run-started", "run-ended"]);
  });

  it("is given up where its report is refused", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const reporting = new AbortController();
    const { done, events } = execute(plane, fakeJobs({ ends: KILLED }), { options: { reporting: reporting.signal } });
    plane.faults.status = 403;
    await done;
    expect(events.find(({ kind }) => kind === "report-failed")).toMatchObject({ givenUp: true });
  });

  it("is given up when its worker may wait no longer for the control plane", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    plane.faults.status = 503;
    const reporting = new AbortController();
    const { done, events } = execute(plane, fakeJobs({ ends: KILLED }), { options: { reporting: reporting.signal } });
    await until("it is asked to take the run back", () => plane.requests.length > 0);
    reporting.abort();
    await done;
    expect(events.at(-1)?.kind).toBe("run-ended");
  });

  it("has as much of its reason told as may be", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    plane.takesBack = true;
    await execute(plane, fakeJobs({ ends: { ...KILLED, reason: "x".repeat(5_000) } })).done;
    expect(plane.givenBack[0]?.reason).toHaveLength(LIMITS.keyChars);
  });
});

describe("a run that cannot be started", () => {
  it.for<[what: string, before: () => never, type: string, given: number]>([
    [
      "by what is said of it fails, since another worker could do no more",
      fails(new CannotStartError("No such folder.")),
      "FAILED",
      0,
    ],
    ["by this machine is given back, or else Crashed", fails(new Error("fork failed")), "CRASHED", 1],
  ])("%s", async ([, before, type, given], { expect }) => {
    await using plane = await tinyControlPlane();
    const { done, last } = execute(plane, fakeJobs({ before }));
    await done;
    expect(last()?.type).toBe(type);
    expect(plane.givenBack).toHaveLength(given);
  });
});

describe("a job that tells the worker nothing", () => {
  const silent = (more: FakeJobsOptions = {}) => fakeJobs({ isSilent: true, hasCommand: true, ...more });

  it.for<["COMPLETED" | "CANCELLED" | "RUNNING" | "CANCELLING", string]>([
    ["COMPLETED", "COMPLETED"],
    ["CANCELLED", "CANCELLED"],
    ["RUNNING", "CRASHED"],
    ["CANCELLING", "CANCELLED"],
  ])("and ends with code 0 leaves a run that is %s as %s", async ([before, after], { expect }) => {
    await using plane = await tinyControlPlane();
    const jobs = silent();
    const { done, last, run, trouble } = execute(plane, jobs);
    await until("it is started", () => jobs.started.length > 0);
    plane.setState(run, before);
    jobs.started[0]?.end(SILENT);
    await done;
    expect(last()?.type).toBe(after);
    expect(trouble()[0] === null).toBe(before === after);
  });

  it("and ends with another code is asked about no further", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const jobs = silent();
    const { done, run, trouble } = execute(plane, jobs);
    await until("it is started", () => jobs.started.length > 0);
    plane.setState(run, "COMPLETED");
    jobs.started[0]?.end({ ...SILENT, code: 1 });
    await done;
    expect(trouble()).not.toEqual([null]);
    expect(run.states.at(-1)?.type).toBe("COMPLETED");
  });

  it("is the work itself where the deployment has no entrypoint, and gets the parameters", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const jobs = silent();
    const { done, last, events } = execute(plane, jobs, { ticket: { entrypoint: null } });
    await until("it is started", () => jobs.started.length > 0);
    expect(jobs.started[0]?.env).toEqual({ SLUICE_PARAMETERS: '{"n":7}' });
    jobs.started[0]?.end(SILENT);
    await done;
    expect(last()?.type).toBe("COMPLETED");
    expect(events.map(({ kind }) => kind)).toEqual(["run-started", "run-ended"]);
    expect(jobs.seen).toEqual(["prepare", "dispose"]);
  });
});

function fails(error: Error): () => never {
  return () => {
    throw error;
  };
}
