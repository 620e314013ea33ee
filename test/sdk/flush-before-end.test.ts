/** The end of a process by SIGTERM, as far as this process can play it. */
import { afterEach, describe, it, vi } from "vitest";
import { flushBeforeEnd } from "../../sdk/flow/engine/flush-before-end.ts";
import { ownSigterm } from "./own-sigterm.ts";

ownSigterm();
afterEach(() => {
  vi.restoreAllMocks();
});

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
};

describe("a process that is asked to end", () => {
  it("tells what it has to tell, then ends by the same signal", async ({ expect }) => {
    const kill = vi.spyOn(process, "kill").mockReturnValue(true);
    const told = Promise.withResolvers<void>();
    flushBeforeEnd(() => told.promise);
    process.emit("SIGTERM");
    await turns();
    expect(kill).not.toHaveBeenCalled();
    told.resolve();
    await turns();
    expect(kill.mock.calls).toEqual([[process.pid, "SIGTERM"]]);
    expect(process.listenerCount("SIGTERM")).toBe(0);
  });

  it.for(["on", "once"] as const)("is not ended where somebody else listens %s", async (way, { expect }) => {
    const kill = vi.spyOn(process, "kill").mockReturnValue(true);
    process[way]("SIGTERM", () => undefined);
    let told = 0;
    const forget = flushBeforeEnd(async () => void told++);
    process.emit("SIGTERM");
    await turns();
    expect([told, kill.mock.calls.length]).toEqual([1, 0]);
    forget();
    expect(process.listenerCount("SIGTERM")).toBe(way === "on" ? 1 : 0);
  });
});
