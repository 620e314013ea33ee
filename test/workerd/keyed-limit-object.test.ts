/** The object of a limit by key goes by the newest of what was said of it. */
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { keyedLimitOwner } from "../../durable-objects/keyed-limit-owner.ts";

const now = Date.now() as EpochMs;
const limited = (limit: number) => ({ key: "parameters.customer", limit, strategy: "queue" as const });

function aLimit() {
  const object = keyedLimitOwner(env.KEYED_LIMITS, crypto.randomUUID() as DeploymentId);
  const ask = async (limit: number, version: number): Promise<string> => {
    const run = crypto.randomUUID() as FlowRunId;
    const asked = { run, key: "ada", askedAt: now, since: now, priority: 1 };
    return (await object.ask({ ...asked, settings: limited(limit), version })).kind;
  };
  return { object, ask };
}

describe("a limit by key that is changed", () => {
  it("holds for claims that have read what it was before", async ({ expect }) => {
    const { object, ask } = aLimit();
    await object.configure(limited(1), 10);
    expect(await ask(2, 9)).toBe("granted");
    expect(await ask(2, 9)).toBe("waits");
  });

  it("is known from a claim that has read it, where the change itself did not arrive", async ({ expect }) => {
    const { object, ask } = aLimit();
    await object.configure(limited(1), 10);
    expect(await ask(2, 11)).toBe("granted");
    expect(await ask(2, 11)).toBe("granted");
    expect(await ask(1, 10)).toBe("waits");
  });

  it("lets every run begin once it is taken away", async ({ expect }) => {
    const { object, ask } = aLimit();
    await object.configure(null, 10);
    expect(await ask(1, 9)).toBe("granted");
    expect(await ask(1, 9)).toBe("granted");
    expect((await object.status()).waiters).toEqual([]);
  });
});
