import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import { clock } from "../../durable-objects/clock.ts";
import { Heartbeats } from "../../durable-objects/heartbeats.ts";
import { movableClock } from "./support/pools.ts";
import { connectAsPrefect, eventsOf, subscribe } from "./support/prefect-socket.ts";
import { freshRunId, newRun, ownerStub, state, until } from "./support/runs.ts";

const SECOND = 1_000;
const move = movableClock();

async function aRun(): Promise<FlowRunId> {
  const id = freshRunId();
  await ownerStub(id).create(newRun(id, { state: state("RUNNING") }));
  return id;
}

const beat = (id: FlowRunId): Promise<boolean> => ownerStub(id).heartbeat(id, clock.now());
const stateOf = async (id: FlowRunId): Promise<string | null> => (await ownerStub(id).read(id))?.state_type ?? null;

async function passes(id: FlowRunId, spanMs: number): Promise<void> {
  move(spanMs);
  await runDurableObjectAlarm(ownerStub(id));
}

/** The deadline's row, which is all that an object without memory knows. */
async function storedDeadline(id: FlowRunId): Promise<{ due_at: number } | null> {
  return runInDurableObject(
    ownerStub(id),
    (_, { storage }) =>
      storage.sql.exec<{ due_at: number }>("SELECT due_at FROM deadlines WHERE run_id = ?", id).toArray()[0] ?? null,
  );
}

describe("a run whose process sends heartbeat events", () => {
  it("is not watched before the first of them", async ({ expect }) => {
    const id = await aRun();
    await passes(id, 3_600 * SECOND);
    expect(await stateOf(id)).toBe("RUNNING");
  });

  it.for([
    [539, "RUNNING"],
    [541, "CRASHED"],
  ] as const)("without a second one is after %d s %s", async ([seconds, expected], { expect }) => {
    const id = await aRun();
    // The object listens for longer than a term, so that its own start is no excuse.
    move(600 * SECOND);
    await beat(id);
    await passes(id, seconds * SECOND);
    expect(await stateOf(id)).toBe(expected);
  });

  it("ends with the span of its silence as the reason", async ({ expect }) => {
    const id = await aRun();
    move(600 * SECOND);
    await beat(id);
    await passes(id, 545 * SECOND);
    expect((await ownerStub(id).read(id))?.state?.message).toContain("has not been heard of for 545 s");
  });

  it("goes on as long as they come", async ({ expect }) => {
    const id = await aRun();
    for (let beats = 0; beats < 20; beats++) {
      await beat(id);
      await passes(id, 180 * SECOND);
    }
    expect(await stateOf(id)).toBe("RUNNING");
    await passes(id, 361 * SECOND);
    expect(await stateOf(id)).toBe("CRASHED");
  });

  it("goes on although the object forgets each of them, and ends when they stop", async ({ expect }) => {
    const id = await aRun();
    for (let beats = 0; beats < 12; beats++) {
      await beat(id);
      await evictDurableObject(ownerStub(id));
      await passes(id, 180 * SECOND);
      await evictDurableObject(ownerStub(id));
    }
    expect(await stateOf(id)).toBe("RUNNING");
    for (let alarms = 0; alarms < 2; alarms++) await passes(id, 541 * SECOND);
    expect(await stateOf(id)).toBe("CRASHED");
  });

  it("costs a row for three of them at most", async ({ expect }) => {
    const id = await aRun();
    const dues = new Set<number>();
    for (let beats = 0; beats < 12; beats++) {
      await beat(id);
      dues.add((await storedDeadline(id))?.due_at ?? 0);
      await passes(id, 180 * SECOND);
    }
    expect(dues.size).toBeLessThanOrEqual(4);
  });

  it("is watched by the interval that its process keeps", async ({ expect }) => {
    const id = await aRun();
    move(600 * SECOND);
    for (let beats = 0; beats < 4; beats++) {
      await beat(id);
      await passes(id, 30 * SECOND);
    }
    await passes(id, 59 * SECOND);
    expect(await stateOf(id)).toBe("RUNNING");
    await passes(id, 2 * SECOND);
    expect(await stateOf(id)).toBe("CRASHED");
  });

  it("is not watched any more when it has ended", async ({ expect }) => {
    const id = await aRun();
    await beat(id);
    await ownerStub(id).setState(id, { state: state("COMPLETED"), force: false });
    expect(await beat(id)).toBe(true);
    expect(await storedDeadline(id)).toBeNull();
  });

  it("is none of this object's when it does not exist", async ({ expect }) => {
    expect(await beat(freshRunId())).toBe(false);
  });

  it("is watched from an event that comes over /events/in, which subscribers see too", async ({ expect }) => {
    const id = await aRun();
    const out = await subscribe("/events/out", { resource: { id: [`prefect.flow-run.${id}`] } });
    const peer = await connectAsPrefect("/events/in");
    peer.send({
      id: crypto.randomUUID(),
      occurred: toWireTime(clock.now()),
      event: "prefect.flow-run.heartbeat",
      resource: { "prefect.resource.id": `prefect.flow-run.${id}`, "prefect.version": "3.8.8" },
      related: [],
      payload: {},
    });
    await until("the deadline", async () => storedDeadline(id));
    await until("the event", async () => eventsOf(out).some(({ event }) => event.endsWith(".heartbeat")));
    expect(await stateOf(id)).toBe("RUNNING");
  });
});

describe("the span that a run may be silent", () => {
  const id = freshRunId();
  const term = (atSeconds: readonly number[]): number => {
    const beats = new Heartbeats();
    for (const at of atSeconds) beats.note(id, (at * SECOND) as EpochMs);
    return beats.termMs(id) / SECOND;
  };

  it.for<[number[], number]>([
    [[], 540],
    [[0], 540],
    [[0, 30], 540],
    [[0, 30, 60], 90],
    [[0, 180, 360], 540],
    [[0, 600], 1_800],
    [[0, 600, 1_200], 1_800],
    // A second process of the run beats soon after the first: the longer gap counts.
    [[0, 180, 190], 540],
    [[0, 180, 190, 370], 540],
    // Told again, or out of order.
    [[0, 30, 60, 60, 30], 90],
    // No shorter than the shortest that clients keep.
    [[0, 1, 2], 90],
  ])("after beats at %j s is %d s", ([beats, expected], { expect }) => {
    expect(term(beats)).toBe(expected);
  });
});
