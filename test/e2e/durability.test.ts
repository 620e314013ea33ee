/**
 * I9: what was acknowledged survives SIGKILL. Callers create and move runs over HTTP; the server is killed in the middle,
 * with the launcher and the engine, and started again over the same folder, several times.
 *
 * Shown to fail: with the journal written 100 ms after the answer (states missing), and without the recovery of copies at
 * an object's start (runs listed in an older state).
 */
import { describe, it } from "vitest";
import { startTestServer } from "../support/server.ts";

const ROUNDS = process.env["SLUICE_TEST_BUDGET"] === "full" ? 20 : 3;
const CALLERS = 16;
const LOAD_MS = 400;
const STEPS = ["PENDING", "RUNNING", "COMPLETED"] as const;

interface Run {
  readonly id: string;
  readonly state_id: string | null;
}

describe("a control plane that is killed", () => {
  it("has every state that it acknowledged, and every run that it acknowledged is listed", {
    timeout: 180_000,
  }, async ({ expect }) => {
    await using server = await startTestServer();
    const post = async <T>(path: string, body: unknown): Promise<T> => {
      const response = await fetch(`${server.apiUrl}${path}`, { method: "POST", body: JSON.stringify(body) });
      if (response.status >= 300) throw new Error(`${path} answered ${response.status}`);
      return (await response.json()) as T;
    };
    const flow = await post<{ id: string }>("/flows/", { name: "durability" });
    /** The last state of each run whose acknowledgement arrived. */
    const acknowledged = new Map<string, string | null>();
    const states = new Map<string, string[]>();
    for (let round = 0; round < ROUNDS; round++) {
      const stopAt = performance.now() + LOAD_MS;
      const callers = Array.from({ length: CALLERS }, async () => {
        while (performance.now() < stopAt + 1_000) {
          const run = await post<Run>("/flow_runs/", { flow_id: flow.id });
          acknowledged.set(run.id, null);
          for (const type of STEPS) {
            const verdict = await post<{ state: { id: string } }>(`/flow_runs/${run.id}/set_state`, {
              state: { type },
            });
            acknowledged.set(run.id, verdict.state.id);
            states.set(run.id, [...(states.get(run.id) ?? []), verdict.state.id]);
          }
        }
      }).map((caller) => caller.catch(() => undefined));
      await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
      await server.kill("SIGKILL");
      await Promise.all(callers);
      await server.restart();
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS * CALLERS);
    for (const [id, stateId] of acknowledged) {
      const response = await fetch(`${server.apiUrl}/flow_runs/${id}`);
      expect(response.status, `run ${id}`).toBe(200);
      const history = await (await fetch(`${server.apiUrl}/flow_run_states/?flow_run_id=${id}`)).json();
      const stored = (history as { id: string }[]).map((state) => state.id);
      expect(stored, `states of run ${id}`).toEqual(expect.arrayContaining(states.get(id) ?? []));
      if (stateId !== null) expect(stored).toContain(stateId);
    }
    // The copies catch up with what the owners know: each acknowledged run is listed in its owner's state.
    const deadline = performance.now() + 20_000;
    for (const id of acknowledged.keys()) {
      for (;;) {
        const owner = (await (await fetch(`${server.apiUrl}/flow_runs/${id}`)).json()) as Run;
        const [copy] = await post<Run[]>("/flow_runs/filter", { flow_runs: { id: { any_: [id] } } });
        if (copy?.state_id === owner.state_id) break;
        expect(performance.now(), `run ${id} is listed as its owner has it`).toBeLessThan(deadline);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });
});
