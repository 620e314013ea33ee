/** A run that is offered again when its process is lost is executed by one process at a time, though the lost one lives. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import { writeFlowControl } from "../../sdk/protocol/flow-control.ts";
import { openRelay } from "../../sdk/testing/relay.ts";
import { eventually } from "../support/eventually.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

const HEARTBEAT_MS = 1_000;
let server: TestServer;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: String(HEARTBEAT_MS) } });
  plane = controlPlane(server.apiUrl);
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** When each process executed the flow, the earlier one first. */
function spans(trace: string): { readonly from: number; readonly to: number }[] {
  const times = new Map<string, number[]>();
  for (const line of readFileSync(trace, "utf8").trim().split("\n")) {
    const [, , pid = "", at = ""] = line.split(" ");
    times.set(pid, [...(times.get(pid) ?? []), Number(at)]);
  }
  return [...times.values()].map((all) => ({ from: Math.min(...all), to: Math.max(...all) }));
}

describe.concurrent("the process of a run that is offered again", () => {
  it.for(["deaf", "busy"] as const)(
    "has ended before another one begins: cut off, its code %s",
    async (how, { expect }) => {
      await plane.pool(how);
      const deployment = await plane.deploy("test/e2e/flows/beats.ts:stubborn", how);
      await plane.client.call(writeFlowControl, { params: { id: deployment }, body: { on_lost: "retry" } });
      using trace = traceFile();
      await using relay = await openRelay(Number(new URL(server.apiUrl).port));
      const apiUrl = `http://127.0.0.1:${relay.port}/api`;
      await using cutOff = await startWorker({ apiUrl, pool: how });
      const { id } = await plane.trigger(deployment, { trace: trace.path, how });
      await plane.reaches(id, "RUNNING");
      await using other = await startWorker({ apiUrl: server.apiUrl, pool: how });
      relay.cut();
      const ended = await eventually(
        "another process has completed it",
        async () => {
          const run = await plane.read(id);
          return run.state_type === "COMPLETED" ? run : null;
        },
        { withinMs: 40_000 },
      );
      expect(ended.run_count).toBe(2);
      const [first, second] = spans(trace.path);
      if (!first || !second) throw new Error(`Two processes did not execute it. ${cutOff.text()} ${other.text()}`);
      expect(first.to - first.from).toBeGreaterThan(HEARTBEAT_MS);
      expect(second.from).toBeGreaterThan(first.to);
    },
  );
});
