/** A process that serves deployments: which of their runs it claims, and when. */
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { type ApiClient, createClient } from "../../sdk/client/index.ts";
import { FlowServer } from "../../sdk/flow/deploy/flow-server.ts";
import type { ServeOptions } from "../../sdk/flow/deploy/serve.ts";
import { configure, flow } from "../../sdk/index.ts";
import type { DeploymentId } from "../../sdk/protocol/ids.ts";
import { toWireTime } from "../../sdk/protocol/time.ts";
import { TestClock } from "../../sdk/testing/index.ts";

const DEPLOYMENT = "019ab5c2-0000-7000-8000-000000000001" as DeploymentId;

// It looks by itself, in the interval that a test sets.
beforeEach(() => void vi.stubGlobal("WebSocket", undefined));
afterEach(() => void vi.unstubAllGlobals());

/** Serves runs that are due after so many milliseconds each. A claim is refused when the test says. */
function serving(due: readonly number[], options: ServeOptions = {}) {
  const clock = new TestClock();
  const restore = configure({ clock, echoLogs: false });
  const at = (ms: number) => toWireTime((clock.now() + ms) as never);
  const runs = due.map((ms, n) => ({ id: `run-${n}`, deployment_id: DEPLOYMENT, next_scheduled_start_time: at(ms) }));
  const claims = new Map<string, () => void>();
  const claimed: string[] = [];
  let looks = 0;
  const call = async ({ id }: { id: string }, { params }: { params?: { id: string } }): Promise<unknown> => {
    if (id === "get_scheduled_flow_runs_for_deployments") {
      looks++;
      return runs.filter((run) => !claimed.includes(run.id) || claims.has(run.id));
    }
    claimed.push(params?.id ?? "");
    await new Promise<void>((refuse) => claims.set(params?.id ?? "", refuse));
    claims.delete(params?.id ?? "");
    return { status: "REJECT", state: null, details: { type: "reject_details", reason: null } };
  };
  const client = { ...createClient({ url: "http://plane.test" }), call } as unknown as ApiClient;
  const stop = new AbortController();
  const flows = new Map([[DEPLOYMENT, flow({ name: "served" }, async () => undefined)]]);
  let isOver = false;
  const over = new FlowServer(client, flows, options, stop.signal).run().then(() => {
    isOver = true;
  });
  return {
    clock,
    claimed,
    looks: () => looks,
    isOver: () => isOver,
    refuse: async (id: string) => {
      claims.get(id)?.();
      await settle();
    },
    stop: () => stop.abort(),
    over,
    [Symbol.dispose]: restore,
  };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
}

describe("a process that serves deployments", () => {
  it("claims no more runs at a time than its limit, and the others when one has ended", async ({ expect }) => {
    using server = serving([0, 0, 0], { limit: 2 });
    await settle();
    expect(server.claimed).toEqual(["run-0", "run-1"]);
    await server.refuse("run-0");
    expect(server.claimed).toEqual(["run-0", "run-1", "run-2"]);
    server.stop();
    for (const id of ["run-1", "run-2"]) await server.refuse(id);
    await server.over;
  });

  it("claims a run that is due soon when it is due, and once, however often it is listed", async ({ expect }) => {
    using server = serving([5_000], { pollInterval: 5 });
    await vi.waitFor(() => expect(server.looks()).toBeGreaterThan(2));
    await server.clock.advance("4999ms");
    expect(server.claimed).toEqual([]);
    await server.clock.advance("1ms");
    const before = server.looks();
    await vi.waitFor(() => expect(server.looks()).toBeGreaterThan(before + 1));
    expect(server.claimed).toEqual(["run-0"]);
    server.stop();
    await server.refuse("run-0");
    await server.over;
  });

  it("that is to end claims nothing more, and waits for what it has", async ({ expect }) => {
    using server = serving([0, 5_000]);
    await settle();
    server.stop();
    await settle();
    expect(server.clock.waiting).toBe(0);
    await server.clock.advance("6s");
    expect([server.claimed, server.isOver()]).toEqual([["run-0"], false]);
    await server.refuse("run-0");
    await server.over;
    expect(server.claimed).toEqual(["run-0"]);
  });
});
