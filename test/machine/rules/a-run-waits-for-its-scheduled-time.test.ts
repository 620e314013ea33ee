import { describe, it } from "vitest";
import { aRunWaitsForItsScheduledTime as rule } from "#machine/rules/a-run-waits-for-its-scheduled-time";
import { ALL_FROM, aProposal, aState, inSeconds, objections, propose, verdict } from "../../support/builders.ts";

describe("the start of a run", () => {
  it("is free when no time was set", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });

  it.for([
    { dueInSeconds: -3600, delay: null },
    { dueInSeconds: 0, delay: null },
    { dueInSeconds: 0.499, delay: null },
    { dueInSeconds: 0.501, delay: 1 },
    { dueInSeconds: 1, delay: 1 },
    { dueInSeconds: 1.4, delay: 1 },
    { dueInSeconds: 1.6, delay: 2 },
    { dueInSeconds: 90_000, delay: 90_000 },
  ])("$dueInSeconds s before it is due waits $delay s", ({ dueInSeconds, delay }, { expect }) => {
    const from = aState("SCHEDULED", { details: { scheduled_time: inSeconds(dueInSeconds) } });
    const { result, written } = propose(rule, from, aProposal("RUNNING"));
    if (delay === null) {
      expect(result.status).toBe("ACCEPT");
    } else {
      expect(written).toBeNull();
      expect(result.state).toEqual(from);
      expect(result.details).toEqual({
        type: "wait_details",
        delay_seconds: delay,
        reason: "Scheduled time is in the future.",
      });
    }
  });

  it.for(
    ALL_FROM.filter((from) => from !== null).map((from) => ({
      from,
      expected: from === "SCHEDULED" || from === "PENDING" ? "WAIT" : "ACCEPT",
    })),
  )("out of $from before the time is answered $expected", ({ from, expected }, { expect }) => {
    const early = aState(from, { details: { scheduled_time: inSeconds(60) } });
    expect(verdict(propose(rule, early, aProposal("RUNNING")))).toBe(expected);
  });
});
