/** States of task runs that come over a run channel are events like those that Prefect's clients send. */
import { describe, it } from "vitest";
import { aFlow, call } from "./support/api.ts";
import { eventsOf, type PrefectSocket, subscribe } from "./support/prefect-socket.ts";
import { until } from "./support/runs.ts";

interface Run {
  readonly id: string;
  readonly name: string;
}

const stateOf = (type: string, name: string, second: number) => ({
  id: crypto.randomUUID(),
  type,
  name,
  timestamp: new Date(Date.now() + second).toISOString(),
  message: name === "Failed" ? "Error: no" : null,
  data: null,
  state_details: {},
});

async function aRun() {
  const flow = await aFlow();
  const made = await call<Run>("POST", "/flow_runs/", {
    flow_id: flow.id,
    state: { type: "RUNNING" },
    tags: ["nightly"],
  });
  const session = crypto.randomUUID();
  const id = crypto.randomUUID();
  const peer = await subscribe("/events/out", { resource: { id: [`prefect.task-run.${id}`] } });
  const batch = (n: number, states: readonly object[]) => {
    const task = { id, name: "load-0", task_key: "load-1a", dynamic_key: "0", run_count: 1, tags: ["b", "a"], states };
    const frames = [
      { type: "hello", protocol: 1, session, generation: null },
      { type: "batch", n, items: [{ kind: "task", task }] },
    ];
    return call("POST", `/flow_runs/${made.body.id}/frames`, { frames });
  };
  return { flow, run: made.body, id, peer, batch };
}

const names = (peer: PrefectSocket): string[] => eventsOf(peer).map(({ event }) => event);

describe("a task run of a run channel", () => {
  it("tells of each of its states, with what belongs to it", async ({ expect }) => {
    const { flow, run, id, peer, batch } = await aRun();
    const [pending, running, failed] = [
      stateOf("PENDING", "Pending", 1),
      stateOf("RUNNING", "Running", 2),
      stateOf("FAILED", "Failed", 3),
    ];
    await batch(1, [pending, running]);
    await batch(2, [failed]);
    await until("three events", async () => eventsOf(peer).length >= 3);
    expect(names(peer)).toEqual(["prefect.task-run.Pending", "prefect.task-run.Running", "prefect.task-run.Failed"]);
    const last = eventsOf(peer)[2];
    expect(last).toMatchObject({
      id: failed.id,
      follows: running.id,
      resource: {
        "prefect.resource.id": `prefect.task-run.${id}`,
        "prefect.resource.name": "load-0",
        "prefect.run-count": "1",
        "prefect.state-message": "Error: no",
        "prefect.state-name": "Failed",
        "prefect.state-type": "FAILED",
        "prefect.orchestration": "client",
      },
      payload: {
        intended: { from: "RUNNING", to: "FAILED" },
        initial_state: { type: "RUNNING", name: "Running" },
        validated_state: { type: "FAILED", name: "Failed", message: "Error: no" },
        task_run: { name: "load-0", task_key: "load-1a", dynamic_key: "0", run_count: 1, tags: ["b", "a"] },
      },
    });
    const related = last?.related.map((one) => `${one["prefect.resource.role"]} ${one["prefect.resource.id"]}`);
    expect(related).toEqual([
      "tag prefect.tag.a",
      "tag prefect.tag.b",
      `flow-run prefect.flow-run.${run.id}`,
      `flow prefect.flow.${flow.id}`,
      "tag prefect.tag.nightly",
    ]);
  });

  it("tells of nothing twice, whatever is sent again", async ({ expect }) => {
    const { peer, batch } = await aRun();
    const states = [stateOf("PENDING", "Pending", 1), stateOf("RUNNING", "Running", 2)];
    await batch(1, states);
    await batch(1, states);
    await batch(2, [...states, stateOf("COMPLETED", "Completed", 3)]);
    await until("the end", async () => names(peer).includes("prefect.task-run.Completed"));
    expect(names(peer)).toEqual(["prefect.task-run.Pending", "prefect.task-run.Running", "prefect.task-run.Completed"]);
  });
});
