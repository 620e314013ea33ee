/** Flows in a control plane: made by the API, reported over the channel, by the same engine. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "vitest";
import { z } from "zod";
import { createClient } from "../../sdk/client/index.ts";
import { executeFlowRun } from "../../sdk/flow/engine/execute-flow-run.ts";
import { artifacts, configure, flow, flowContext, logger, NonRetryableError, task } from "../../sdk/index.ts";
import { type TinyControlPlane, type TinyRun, tinyControlPlane } from "./tiny-control-plane.ts";
import { until } from "./until.ts";

function using(plane: TinyControlPlane): Disposable {
  const restore = configure({ apiUrl: plane.url, echoLogs: false, runLogs: "none" });
  return { [Symbol.dispose]: restore };
}

function theRun(plane: TinyControlPlane): TinyRun {
  const [run] = plane.runs.values();
  if (!run) throw new Error("No run was made.");
  return run;
}

const stateNames = (run: TinyRun): string[] => run.states.map((state) => state.name);
const messages = (run: TinyRun): string[] => run.stored.flatMap((one) => (one.kind === "log" ? [one.log.message] : []));
const reports = (run: TinyRun) => run.stored.flatMap((one) => (one.kind === "task" ? [one.task] : []));

describe("a flow with a control plane", () => {
  it("is a run there: states, task runs, log lines and artifacts are stored before it answers", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const step = task({ name: "step" }, async (n: number) => n + 1);
    const main = flow({ name: "main" }, async ({ from }: { from: number }) => {
      logger().info("begin");
      const to = await step(from);
      await artifacts.markdown({ key: "report", markdown: `# ${to}` });
      await artifacts.table({ key: "rows", rows: [{ to }], description: "all" });
      return to;
    });

    expect(await main({ from: 1 })).toBe(2);

    const run = theRun(plane);
    expect(run.parameters).toEqual({ from: 1 });
    expect(stateNames(run)).toEqual(["Pending", "Running", "Completed"]);
    expect(messages(run)).toEqual(["begin"]);
    expect(reports(run).flatMap((one) => one.states.map((state) => state.name))).toEqual([
      "Pending",
      "Running",
      "Completed",
    ]);
    expect(run.stored.at(-1)).toEqual({ kind: "state", name: "Completed" });
    expect(plane.artifacts).toEqual([
      { key: "report", type: "markdown", description: null, data: "# 2", flow_run_id: run.id, task_run_id: null },
      { key: "rows", type: "table", description: "all", data: '[{"to":2}]', flow_run_id: run.id, task_run_id: null },
    ]);
  });

  it("keeps what its schema marks secret to itself", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const parameters = z.object({ token: z.string().meta({ writeOnly: true }), day: z.string() });
    const main = flow({ name: "main", parameters }, async ({ token }) => [token, flowContext().parameters]);
    const given = { token: "the secret", day: "monday" };
    expect(await main(given)).toEqual(["the secret", given]);
    expect(theRun(plane).parameters).toEqual({ token: "********", day: "monday" });
  });

  it("waits for its retry as the control plane says", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    let attempts = 0;
    const flaky = flow({ name: "flaky", retries: 1, retryDelay: "200ms" }, async () => {
      if (++attempts === 1) throw new Error("once");
      return attempts;
    });
    expect(await flaky()).toBe(2);
    expect(stateNames(theRun(plane))).toEqual(["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]);
    expect(messages(theRun(plane))[0]).toMatch(
      /^Attempt 1 of 2 failed; the next starts in 200 ms\. Error: once\n\s+at /,
    );
  });

  it("is not retried by the control plane when its error says that it is of no use", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const broken = flow({ name: "broken", retries: 5 }, async (_given: object, { runCount }) => {
      if (runCount === 1) throw new Error("once");
      throw new NonRetryableError("no such user");
    });
    await expect(broken({})).rejects.toThrow("no such user");
    expect(stateNames(theRun(plane))).toEqual(["Pending", "Running", "AwaitingRetry", "Retrying", "Failed"]);
  });

  it("survives connections that break under it", { timeout: 20_000 }, async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    let frames = 0;
    plane.faults.fate = () => (++frames % 5 === 0 ? "lose-answer" : frames % 7 === 0 ? "lose" : "deliver");
    const step = task({ name: "step" }, async (n: number) => {
      await new Promise((done) => setTimeout(done, 3));
      return n;
    });
    const main = flow({ name: "main", concurrency: 4 }, async () =>
      step.map(Array.from({ length: 60 }, (_one, index) => index)).results(),
    );
    expect(await main()).toHaveLength(60);
    const ended = reports(theRun(plane)).filter((one) => one.states.at(-1)?.name === "Completed");
    expect(new Set(ended.map((one) => one.dynamic_key)).size).toBe(60);
    expect(ended).toHaveLength(60);
    expect(stateNames(theRun(plane))).toEqual(["Pending", "Running", "Completed"]);
  });

  it("is not begun when the control plane is away, and says what to do", async ({ expect }) => {
    const plane = await tinyControlPlane();
    using _ = using(plane);
    await plane[Symbol.asyncDispose]();
    let begun = false;
    const main = flow({ name: "main" }, async () => {
      begun = true;
    });
    await expect(main()).rejects.toThrow(/cannot be reached: ECONNREFUSED\. Start the server with/);
    expect(begun).toBe(false);
  });

  it("is stopped by a cancellation within a moment, and ends Cancelled", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    let heardAfterMs = Infinity;
    const wait = task({ name: "wait" }, async ({ signal }) => {
      plane.setState(theRun(plane), "CANCELLING");
      const asked = performance.now();
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          heardAfterMs = performance.now() - asked;
          reject(signal.reason);
        });
      });
    });
    const main = flow({ name: "main" }, async () => wait());
    await expect(main()).rejects.toThrow(/Cancelled/);
    expect(heardAfterMs).toBeLessThan(100);
    expect(stateNames(theRun(plane))).toEqual(["Pending", "Running", "Cancelling", "Cancelled"]);
    expect(reports(theRun(plane)).at(-1)?.states.at(-1)?.name).toBe("Cancelled");
  });

  it("ends Cancelled when it is cancelled in the moment in which it ends", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const main = flow({ name: "main" }, async () => plane.setState(theRun(plane), "CANCELLING"));
    await expect(main()).rejects.toThrow(/Cancelled/);
    expect(stateNames(theRun(plane))).toEqual(["Pending", "Running", "Cancelling", "Cancelled"]);
  });

  it("stops when its run was ended from outside, and says so", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const main = flow({ name: "main" }, async (_parameters: object, { signal }) => {
      plane.setState(theRun(plane), "CRASHED");
      plane.dropConnections();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    await expect(main({})).rejects.toMatchObject({ name: "FlowRunStoppedError", state: { type: "CRASHED" } });
    expect(stateNames(theRun(plane))).toEqual(["Pending", "Running", "Crashed"]);
  });

  it("stops when another process has claimed its run", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    let stopped = false;
    const main = flow({ name: "main" }, async (_parameters: object, { signal }) => {
      signal.addEventListener("abort", () => {
        stopped = true;
      });
      theRun(plane).generation++;
      plane.dropConnections();
      await until("the signal", () => stopped);
    });
    await expect(main({})).rejects.toMatchObject({ code: "stale_generation" });
    expect(stopped).toBe(true);
  });
});

describe("a run that was made elsewhere", () => {
  it("is executed with its own parameters under the claim's generation", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun({ generation: 2, parameters: { n: 20 } });
    let seen: unknown;
    const main = flow({ name: "main", retries: 1, captureConsole: false }, async (parameters: { n: number }) => {
      seen = parameters;
      if (run.states.length === 2) throw new Error("once");
    });
    using _ = using(plane);

    const state = await executeFlowRun({
      client: createClient({ url: plane.url }),
      flowRunId: run.id,
      generation: 2,
      flow: main,
    });

    expect(state.type).toBe("COMPLETED");
    expect(seen).toEqual({ n: 20 });
    // The retries are those of the code.
    expect(stateNames(run)).toEqual(["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]);
  });

  it("is let go of when it cannot be prepared", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const run = plane.createRun();
    const nameless = (): string => {
      throw new Error("no name");
    };
    const main = flow({ name: "main", flowRunName: nameless }, async () => undefined);
    const client = createClient({ url: plane.url });
    await expect(executeFlowRun({ client, flowRunId: run.id, generation: null, flow: main })).rejects.toThrow(
      "no name",
    );
    await until("its channel is closed", () => plane.sockets === 1 && plane.openSockets === 0);
    expect(stateNames(run)).toEqual(["Pending"]);
  });

  it("answers Failed, and does not throw, when the flow fails", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const run = plane.createRun();
    const main = flow({ name: "main" }, async () => {
      throw new Error("no");
    });
    const client = createClient({ url: plane.url });
    const state = await executeFlowRun({ client, flowRunId: run.id, generation: null, flow: main });
    expect(state).toMatchObject({ type: "FAILED", message: "Error: no" });
  });
});

describe("the process", () => {
  it("exits by itself after its flow, with everything stored", { timeout: 20_000 }, async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const program = fileURLToPath(new URL("./programs/two-steps.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      env: { ...process.env, SLUICE_API_URL: plane.url, SLUICE_ECHO_LOGS: "0" },
      timeout: 15_000,
    });
    expect(stdout).toBe("captured\n3\n");
    const run = theRun(plane);
    expect(stateNames(run)).toEqual(["Pending", "Running", "Completed"]);
    const told = messages(run).map((line) => line.replace(/\(.*\)|\d+ ms/, "…"));
    const ends = "Finished in state Completed after ….";
    expect(told).toEqual(['Started flow "twice" ….', "captured", ends, ends, ends]);
    expect(reports(run)).toHaveLength(2);
  });

  it.for([
    ["a SIGTERM ends it", [], { signal: "SIGTERM", killed: false }],
    ["it ends itself, once it has waited for that", ["exits"], { code: 3 }],
  ] as const)("tells all that was logged before %s", { timeout: 20_000 }, async ([, words, how], { expect }) => {
    await using plane = await tinyControlPlane();
    const program = fileURLToPath(new URL("./programs/logs-and-is-ended.ts", import.meta.url));
    const ended = promisify(execFile)(process.execPath, [program, ...words], {
      env: { ...process.env, SLUICE_API_URL: plane.url, SLUICE_ECHO_LOGS: "0" },
      timeout: 15_000,
    });
    await expect(ended).rejects.toMatchObject(how);
    const lines = messages(theRun(plane)).filter((line) => line.startsWith("line "));
    expect(lines).toEqual(Array.from({ length: 3_000 }, (_one, index) => `line ${index}`));
  });

  it("runs the same program without any server", { timeout: 20_000 }, async ({ expect }) => {
    const program = fileURLToPath(new URL("./programs/two-steps.ts", import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], {
      env: { ...process.env, SLUICE_API_URL: "" },
      timeout: 15_000,
    });
    expect(stdout).toBe("captured\n3\n");
    expect(stderr).toMatch(/Finished in state Completed/);
  });
});
