import { describe, it } from "vitest";
import { OWNED_TASK_POLICY } from "#machine/policies/owned-task";
import { aRememberedResultIsUsed as rule } from "#machine/rules/a-remembered-result-is-used";
import {
  ALL_FROM,
  aProposal,
  aState,
  ownedTaskObjections,
  proposeOwnedTask,
  TASK_RUN_ID,
  verdict,
} from "../../support/builders.ts";

const cached = aState("COMPLETED", {
  data: { storage_key: "a-result" },
  details: { cache_key: "key", task_run_id: "0193a000-0000-7000-8000-00000000a002" },
});

describe("a remembered result", () => {
  it("is not looked at without a cache key", ({ expect }) => {
    expect(ownedTaskObjections(rule, { cached })).toEqual([]);
  });

  it.for(ALL_FROM)("is used when a task in %s proposes RUNNING with its key", (from, { expect }) => {
    const to = aProposal("RUNNING", { details: { cache_key: "key" } });
    const current = from === null ? null : aState(from);
    expect(verdict(proposeOwnedTask(rule, current, to, { cached }))).toBe("REJECT Cached");
  });

  it.for([
    { why: "none is remembered", known: {}, details: { cache_key: "key" } },
    { why: "a new one is asked for", known: { cached }, details: { cache_key: "key", refresh_cache: true } },
  ])("is not used when $why", ({ known, details }, { expect }) => {
    expect(verdict(proposeOwnedTask(rule, null, aProposal("RUNNING", { details }), known))).toBe("ACCEPT");
  });

  it("becomes the task's own under a new id, and is not remembered again", ({ expect }) => {
    const to = aProposal("RUNNING", { details: { cache_key: "key" } });
    const { written } = proposeOwnedTask(OWNED_TASK_POLICY, aState("PENDING"), to, { cached });
    expect(written?.state).toMatchObject({
      type: "COMPLETED",
      name: "Cached",
      data: cached.data,
      state_details: { cache_key: "key", task_run_id: TASK_RUN_ID },
    });
    expect(written?.state.id).not.toBe(cached.id);
    expect(written?.effects).toEqual([]);
    expect(written?.run.runCount).toBe(0);
  });
});
