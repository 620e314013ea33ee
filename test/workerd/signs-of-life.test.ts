/** Processes with a run channel: a living one is not taken for lost, however often the object loses its memory. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { RunClientFrame } from "#protocol/run-channel";
import { movableClock } from "./support/pools.ts";
import { freshRunId, newRun, ownerStub, state } from "./support/runs.ts";

const SECOND = 1_000;
const move = movableClock();
const HELLO = RunClientFrame.parse({
  type: "hello",
  protocol: 1,
  session: "0193a000-0000-7000-8000-000000000001",
  generation: null,
});

async function aRun(): Promise<FlowRunId> {
  const id = freshRunId();
  await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
  await show(id);
  return id;
}

/** What a process without a socket sends again and again. */
async function show(id: FlowRunId): Promise<void> {
  await ownerStub(id).frames(id, [HELLO]);
}

const stateOf = async (id: FlowRunId): Promise<string | null> => (await ownerStub(id).read(id))?.state_type ?? null;

async function passes(id: FlowRunId, spanMs: number): Promise<void> {
  move(spanMs);
  await runDurableObjectAlarm(ownerStub(id));
}

async function storedDeadline(id: FlowRunId): Promise<number> {
  return runInDurableObject(
    ownerStub(id),
    (_, { storage }) =>
      storage.sql.exec<{ due_at: number }>("SELECT due_at FROM deadlines WHERE run_id = ?", id).one().due_at,
  );
}

describe("a run whose process sends its frames by requests", () => {
  it("goes on although the object forgets each of them, and ends when they stop", async ({ expect }) => {
    const id = await aRun();
    for (let frames = 0; frames < 30; frames += 1) {
      await show(id);
      await evictDurableObject(ownerStub(id));
      await passes(id, 10 * SECOND);
      await evictDurableObject(ownerStub(id));
    }
    expect(await stateOf(id)).toBe("RUNNING");
    for (let alarms = 0; alarms < 2; alarms += 1) await passes(id, 31 * SECOND);
    expect(await stateOf(id)).toBe("CRASHED");
  });

  it("costs a row in a term of three intervals at most", async ({ expect }) => {
    const id = await aRun();
    const dues = new Set<number>();
    for (let frames = 0; frames < 12; frames += 1) {
      await show(id);
      dues.add(await storedDeadline(id));
      await passes(id, 10 * SECOND);
    }
    expect(dues.size).toBeLessThanOrEqual(5);
  });

  it("has a full term after each start of a server that was away, also after the second", async ({ expect }) => {
    const id = await aRun();
    for (let starts = 0; starts < 3; starts += 1) {
      await evictDurableObject(ownerStub(id));
      // The server was away for an hour; its first look comes before the process has connected again.
      await passes(id, 3_600 * SECOND);
      expect(await stateOf(id)).toBe("RUNNING");
      move(20 * SECOND);
      await show(id);
      await passes(id, 25 * SECOND);
      expect(await stateOf(id)).toBe("RUNNING");
      await show(id);
    }
  });
});
