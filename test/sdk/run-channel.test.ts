import fc from "fast-check";
import { describe, it } from "vitest";
import { LogCreate } from "#protocol/logs";
import { TaskReport } from "#protocol/run-channel";
import { State, StateCreate } from "#protocol/states";
import { createClient } from "../../sdk/client/index.ts";
import { RunChannel, type RunChannelOptions } from "../../sdk/client/run-channel.ts";
import { type Fate, type TinyControlPlane, type TinyRun, tinyControlPlane } from "./tiny-control-plane.ts";
import { until } from "./until.ts";

const AT = "2026-11-21T05:14:31.000000Z";

function channelOf(plane: TinyControlPlane, run: TinyRun, options: Partial<RunChannelOptions> = {}): RunChannel {
  return new RunChannel({ client: createClient({ url: plane.url }), flowRunId: run.id, generation: null, ...options });
}

function line(message: string): LogCreate {
  return LogCreate.parse({ name: "test", level: 20, message, timestamp: AT });
}

function proposal(type: string): StateCreate {
  return StateCreate.parse({ type });
}

function report(id: string, ...names: string[]): TaskReport {
  return TaskReport.parse({
    id,
    name: "step",
    task_key: "step",
    dynamic_key: id,
    states: names.map((name) =>
      State.parse({
        id: crypto.randomUUID(),
        type: "RUNNING",
        name,
        timestamp: AT,
        message: null,
        data: null,
        state_details: {},
      }),
    ),
  });
}

/** What was stored, as text: messages of lines, names of states. */
function stored(run: TinyRun): string[] {
  return run.stored.map((one) =>
    one.kind === "log" ? one.log.message : one.kind === "state" ? one.name : one.task.id,
  );
}

const batches = (run: TinyRun): number[] =>
  run.frames.flatMap((frame) => (frame.type === "batch" ? [frame.items.length] : []));

describe("a run that is offered again when its process is lost", () => {
  it("is given up by a process that is not heard of, before others have it", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    plane.heartbeatMs = 200;
    const failures: [who: string, at: number][] = [];
    const terms: number[] = [];
    const open = async (who: string, labels: Record<string, string>): Promise<RunChannel> => {
      const onFailure = (error: Error): void => void failures.push([`${who}: ${error.message}`, performance.now()]);
      const onTerm = (leftMs: number): void => void terms.push(leftMs);
      const channel = channelOf(plane, plane.createRun({ labels }), { onFailure, onTerm, giveUpAfterMs: 60_000 });
      await channel.open();
      return channel;
    };
    const patient = await open("patient", { "sluice.on_lost": "crash" });
    const careful = await open("careful", { "sluice.on_lost": "retry" });
    // It is heard of for longer than one term.
    await until("pings were answered", () => terms.length > 5);
    expect(failures).toEqual([]);
    for (const leftMs of terms) expect(leftMs).toBeLessThanOrEqual(600);
    plane.faults.status = 503;
    plane.faults.refusesSockets = true;
    plane.dropConnections();
    const cutAt = performance.now();
    await until("it gives up", () => failures.length > 0);
    expect(failures[0]?.[0]).toMatch(/^careful: .*given to another process/);
    expect((failures[0]?.[1] ?? 0) - cutAt).toBeGreaterThan(250);
    expect(failures).toHaveLength(1);
    await Promise.allSettled([careful.close()]);
    plane.faults.status = null;
    await patient.close();
  });
});

describe("the run channel", () => {
  it("welcomes with the run, and stores items in their order before the proposal that follows them", async ({
    expect,
  }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun({ parameters: { a: 1 } });
    const channel = channelOf(plane, run);

    expect((await channel.open()).parameters).toEqual({ a: 1 });
    channel.log(line("one"));
    const running = channel.propose(proposal("RUNNING"));
    channel.log(line("two"));
    expect((await running).status).toBe("ACCEPT");
    await channel.close();

    expect(stored(run)).toEqual(["Pending", "one", "Running", "two"]);
  });

  it("puts the items of one turn into one frame, and states of one task into one report", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun();
    const channel = channelOf(plane, run);
    await channel.open();

    const id = crypto.randomUUID();
    channel.reportTask(report(id, "Pending", "Running"));
    for (let index = 0; index < 50; index++) channel.log(line(String(index)));
    channel.reportTask(report(id, "Completed"));
    await channel.close();

    expect(batches(run)).toEqual([51]);
    const [first] = run.stored.filter((one) => one.kind === "task");
    expect(first?.task.states.map((state) => state.name)).toEqual(["Pending", "Running", "Completed"]);
  });

  it("sends no frame above the limit, and asks producers to wait when too much is on its way", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun();
    const channel = channelOf(plane, run);
    await channel.open();

    expect(channel.ready()).toBeNull();
    for (let index = 0; index < 12_000; index++) channel.log(line(String(index)));
    await channel.ready();
    expect(stored(run).length).toBeGreaterThan(6_000);
    await channel.close();

    expect(stored(run).slice(1)).toEqual(Array.from({ length: 12_000 }, (_, index) => String(index)));
    expect(Math.max(...batches(run))).toBeLessThanOrEqual(500);
  });

  it("loses nothing, doubles nothing and keeps the order, whatever the connection does", { timeout: 300_000 }, async ({
    expect,
  }) => {
    const fates = fc.array(fc.constantFrom<Fate>("deliver", "deliver", "deliver", "lose", "lose-answer"), {
      minLength: 1,
      maxLength: 12,
    });
    const programs = fc.array(fc.constantFrom("log", "task", "turn", "propose"), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fates, programs, async (unlucky, program) => {
        await using plane = await tinyControlPlane();
        const run = plane.createRun();
        const luck = [...unlucky];
        plane.faults.fate = () => luck.shift() ?? "deliver";
        const channel = channelOf(plane, run);
        const expected: string[] = ["Pending"];
        let verdict: Promise<unknown> = Promise.resolve();
        const opened = channel.open();
        for (const [index, step] of program.entries()) {
          if (step === "turn") await new Promise((done) => setTimeout(done, 1));
          if (step === "log") {
            channel.log(line(`line ${index}`));
            expected.push(`line ${index}`);
          }
          if (step === "task") {
            const id = crypto.randomUUID();
            channel.reportTask(report(id, "Running"));
            expected.push(id);
          }
          if (step === "propose") {
            // Running, then retried again and again: each proposal is a state of its own when it is stored once.
            // A flow proposes one at a time; two that were under way together were once stored twice.
            await verdict;
            verdict = channel.propose(StateCreate.parse({ type: "RUNNING", name: `step ${index}` }));
            // What follows in this turn is added behind the proposal.
            await Promise.resolve();
            expected.push(`step ${index}`);
          }
        }
        await opened;
        await verdict;
        await channel.close();
        expect(stored(run)).toEqual(expected);
      }),
      { numRuns: process.env["SLUICE_TEST_BUDGET"] === "full" ? 500 : 25 },
    );
  });

  it("answers a proposal whose answer was lost with what became of it", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun();
    const channel = channelOf(plane, run);
    await channel.open();
    let losses = 1;
    plane.faults.fate = (frame) => (frame.type === "propose" && losses-- > 0 ? "lose-answer" : "deliver");

    const { state, status } = await channel.propose(proposal("RUNNING"));
    await channel.close();

    expect([status, state?.type]).toEqual(["REJECT", "RUNNING"]);
    expect(stored(run)).toEqual(["Pending", "Running"]);
  });

  it("tells of a cancellation at once, and of one that came while it was away when it is back", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const told: string[] = [];
    for (const away of [false, true]) {
      const run = plane.createRun();
      const channel = channelOf(plane, run, {
        onControl: ({ action, state }) => void told.push(`${action} ${state.type}`),
      });
      await channel.open();
      await channel.propose(proposal("RUNNING"));
      if (away) plane.dropConnections();
      if (away) await until("the connection to be gone", () => plane.sockets === 2);
      plane.setState(run, "CANCELLING");
      const count = told.length;
      await until("the wish to cancel", () => told.length > count);
      await channel.propose(proposal("CANCELLED"));
      await channel.close();
    }
    expect(told).toEqual(["cancel CANCELLING", "cancel CANCELLING"]);
  });

  it("tells that the run was ended without it", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun();
    const told: string[] = [];
    const channel = channelOf(plane, run, {
      onControl: ({ action, state }) => void told.push(`${action} ${state.type}`),
    });
    await channel.open();
    plane.setState(run, "CRASHED");
    plane.dropConnections();
    await until("the news", () => told.length > 0);
    await channel.close();
    expect(told).toEqual(["ended CRASHED"]);
  });

  it("connects again when nothing is heard any more", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    plane.heartbeatMs = 20;
    const run = plane.createRun();
    const channel = channelOf(plane, run);
    await channel.open();
    plane.faults.deaf = true;
    await until("a second connection", () => plane.sockets > 1);
    plane.faults.deaf = false;
    channel.log(line("still here"));
    await channel.close();
    expect(stored(run)).toContain("still here");
  });

  it.for([
    ["the WebSocket is refused", {}, true],
    ["there is no WebSocket", { webSocket: null }, false],
  ] as const)("travels by requests where %s", async ([, options, refusesSockets], { expect }) => {
    await using plane = await tinyControlPlane();
    plane.faults.refusesSockets = refusesSockets;
    plane.heartbeatMs = 20;
    const run = plane.createRun();
    const told: string[] = [];
    const channel = channelOf(plane, run, { ...options, onControl: ({ action }) => void told.push(action) });

    await channel.open();
    expect((await channel.propose(proposal("RUNNING"))).status).toBe("ACCEPT");
    let losses = 2;
    plane.faults.fate = (frame) =>
      frame.type === "batch" && losses-- > 0 ? (losses ? "lose" : "lose-answer") : "deliver";
    for (let index = 0; index < 300; index++) channel.log(line(String(index)));
    await channel.flush();
    plane.setState(run, "CANCELLING");
    await until("the wish to cancel", () => told.length > 0);
    expect((await channel.propose(proposal("CANCELLED"))).status).toBe("ACCEPT");
    await channel.close();

    const lines = Array.from({ length: 300 }, (_, index) => String(index));
    expect(stored(run)).toEqual(["Pending", "Running", ...lines, "Cancelling", "Cancelled"]);
    expect(new Set(told)).toEqual(new Set(["cancel"]));
    expect(plane.sockets).toBe(0);
  });

  it("is refused under a claim that is over", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun({ generation: 3 });
    const failures: Error[] = [];
    const channel = channelOf(plane, run, { generation: 2, onFailure: (error) => void failures.push(error) });
    await expect(channel.open()).rejects.toMatchObject({ code: "stale_generation", fix: "Stop." });
    await expect(channel.propose(proposal("RUNNING"))).rejects.toMatchObject({ code: "stale_generation" });
    expect(failures).toHaveLength(1);
  });

  it("is refused in the middle when another claim was made, and whoever waits hears of it", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun();
    const channel = channelOf(plane, run);
    await channel.open();
    run.generation = 1;
    plane.faults.fate = (frame) => (frame.type === "propose" ? "lose" : "deliver");
    await expect(channel.propose(proposal("RUNNING"))).rejects.toMatchObject({ code: "stale_generation" });
    await expect(channel.close()).rejects.toMatchObject({ code: "stale_generation" });
  });

  it("says what is the matter when there is no such run", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const run = plane.createRun();
    plane.runs.delete(run.id);
    await expect(channelOf(plane, run).open()).rejects.toMatchObject({ code: "not_found" });
  });

  it("gives up when nobody answers for long enough", async ({ expect }) => {
    const plane = await tinyControlPlane();
    const run = plane.createRun();
    const channel = channelOf(plane, run, { giveUpAfterMs: 200 });
    await channel.open();
    await plane[Symbol.asyncDispose]();
    await expect(channel.propose(proposal("RUNNING"))).rejects.toThrow(/cannot be reached/);
  });
});
