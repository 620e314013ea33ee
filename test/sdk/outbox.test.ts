/** What a process has still to tell of its run, in frames. */
import { describe, it } from "vitest";
import type { LogCreate } from "#protocol/logs";
import type { ChannelItem, RunClientFrame, TaskReport } from "#protocol/run-channel";
import { StateCreate } from "#protocol/states";
import { Outbox } from "../../sdk/client/outbox.ts";

const log = (message: string): ChannelItem => ({ kind: "log", log: { message } as LogCreate });
const task = (id: string, runCount: number, ...states: string[]): ChannelItem => ({
  kind: "task",
  task: { id, run_count: runCount, states: states.map((name) => ({ name })) } as unknown as TaskReport,
});
const read = (json: string | null): RunClientFrame | null =>
  json === null ? null : (JSON.parse(json) as RunClientFrame);
const itemsOf = (json: string | null): readonly ChannelItem[] => {
  const frame = read(json);
  return frame?.type === "batch" ? frame.items : [];
};
const RUNNING = StateCreate.parse({ type: "RUNNING" });

describe("the outbox of a run", () => {
  it("frames no more than five hundred items, nor many more than half a million characters", ({ expect }) => {
    const outbox = new Outbox();
    for (let i = 0; i < 501; i++) outbox.add(log("x"));
    expect([itemsOf(outbox.frame()).length, itemsOf(outbox.frame()).length, outbox.frame()]).toEqual([500, 1, null]);
    for (let i = 0; i < 4; i++) outbox.add(log("x".repeat(300_000)));
    expect([itemsOf(outbox.frame()).length, itemsOf(outbox.frame()).length]).toEqual([2, 2]);
  });

  it("joins the states of a task that were not framed yet, with what is known of it last", ({ expect }) => {
    const outbox = new Outbox();
    outbox.add(task("a", 0, "Pending"));
    outbox.add(log("between"));
    outbox.add(task("a", 1, "Running"));
    expect(itemsOf(outbox.frame())).toEqual([task("a", 1, "Pending", "Running"), log("between")]);
    outbox.add(log("before"));
    outbox.add(task("a", 1, "Completed"));
    expect(itemsOf(outbox.frame())).toEqual([log("before"), task("a", 1, "Completed")]);
  });

  it("frames all that was told before a proposal, and keeps each frame until it is answered", async ({ expect }) => {
    const outbox = new Outbox();
    for (let i = 0; i < 501; i++) outbox.add(log("x"));
    const { frames, verdict } = outbox.propose(RUNNING, false);
    expect(frames.map((json) => read(json)?.type)).toEqual(["batch", "batch", "propose"]);
    expect([outbox.queued, outbox.pendingItems, outbox.batchesInFlight, outbox.hasProposals]).toEqual([
      0,
      501,
      2,
      true,
    ]);
    outbox.acknowledge(1);
    expect([outbox.pendingItems, outbox.batchesInFlight]).toEqual([1, 1]);
    expect(outbox.unacknowledged()).toEqual(frames.slice(1));
    outbox.acknowledge(2);
    outbox.answer(1, "the verdict" as never);
    outbox.answer(1, "again" as never);
    expect(await verdict).toBe("the verdict");
    expect(outbox.isEmpty).toBe(true);
  });

  it("given up tells those who wait for a verdict", async ({ expect }) => {
    const outbox = new Outbox();
    outbox.add(log("x"));
    const { verdict } = outbox.propose(RUNNING, false);
    outbox.fail(new Error("gone"));
    await expect(verdict).rejects.toThrow("gone");
    expect([outbox.isEmpty, outbox.pendingItems, outbox.batchesInFlight]).toEqual([true, 0, 0]);
  });
});
