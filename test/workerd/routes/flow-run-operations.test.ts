import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import { aDeployment, aFlow, call } from "../support/api.ts";
import { until } from "../support/runs.ts";

interface Run {
  readonly id: string;
  readonly state: { readonly id: string; readonly type: string };
}

async function aRun(more: object = {}): Promise<Run> {
  const flow = await aFlow();
  return (await call<Run>("POST", "/flow_runs/", { flow_id: flow.id, state: { type: "RUNNING" }, ...more })).body;
}

async function pause(run: Run, details: object): Promise<void> {
  await call("POST", `/flow_runs/${run.id}/set_state`, { state: { type: "PAUSED", state_details: details } });
}

const SCHEMA = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const KEYSET = { schema: "in-schema", response: "in-response" };

describe("resuming a flow run", () => {
  it("is refused while the run is not paused", async ({ expect }) => {
    const run = await aRun();
    const answer = await call("POST", `/flow_runs/${run.id}/resume`);
    expect(answer).toMatchObject({ status: 200, body: { status: "ABORT", state: null } });
  });

  it("lets the paused process go on", async ({ expect }) => {
    const run = await aRun();
    await pause(run, {});
    const answer = await call("POST", `/flow_runs/${run.id}/resume`, {});
    expect(answer).toMatchObject({ status: 201, body: { status: "ACCEPT", state: { type: "RUNNING" } } });
  });

  it("schedules a suspended run anew", async ({ expect }) => {
    const deployment = await aDeployment();
    const run = await aRun({ flow_id: deployment.flow_id, deployment_id: deployment.id });
    await pause(run, { pause_reschedule: true });
    const answer = await call("POST", `/flow_runs/${run.id}/resume`, {});
    expect(answer.body).toMatchObject({ status: "ACCEPT", state: { type: "SCHEDULED", name: "Resuming" } });
  });

  it.for([
    { schema: null, input: { n: 1 }, reason: "Run input schema not found." },
    { schema: "{", input: { n: 1 }, reason: "Run input schema is not valid JSON." },
    { schema: JSON.stringify({ $ref: "#/nowhere" }), input: { n: 1 }, reason: "Invalid schema" },
    { schema: JSON.stringify(SCHEMA), input: { n: "one" }, reason: "field 'n'" },
    { schema: JSON.stringify(SCHEMA), input: undefined, reason: "Reason: " },
  ])("with $input against $schema is refused: $reason", async ({ schema, input, reason }, { expect }) => {
    const run = await aRun();
    if (schema !== null) await call("POST", `/flow_runs/${run.id}/input`, { key: KEYSET.schema, value: schema });
    await pause(run, { run_input_keyset: KEYSET });
    const answer = await call("POST", `/flow_runs/${run.id}/resume`, { run_input: input });
    expect(answer.body).toMatchObject({
      status: "REJECT",
      state: { type: "PAUSED" },
      details: { reason: expect.stringContaining(reason) },
    });
  });

  it("keeps the input that fits, once", async ({ expect }) => {
    const run = await aRun();
    await call("POST", `/flow_runs/${run.id}/input`, { key: KEYSET.schema, value: JSON.stringify(SCHEMA) });
    await pause(run, { run_input_keyset: KEYSET });
    const answers = await Promise.all(
      [1, 2].map((n) => call<{ status: string }>("POST", `/flow_runs/${run.id}/resume`, { run_input: { n } })),
    );
    expect(answers.map(({ body }) => body.status).toSorted()).toEqual(["ABORT", "ACCEPT"]);
    const stored = await exports.default.fetch(
      `http://localhost:4200/api/flow_runs/${run.id}/input/${KEYSET.response}`,
    );
    const accepted = answers.findIndex(({ body }) => body.status === "ACCEPT") + 1;
    expect(await stored.text()).toBe(JSON.stringify({ n: accepted }));
  });
});

describe("many flow runs at once", () => {
  it("are set to a state, each with its own verdict", async ({ expect }) => {
    const [one, two] = [await aRun(), await aRun({ state: { type: "PENDING" } })];
    const answer = await call<{ results: { flow_run_id: string; status: string }[] }>(
      "POST",
      "/flow_runs/bulk_set_state",
      { flow_runs: { id: { any_: [one.id, two.id] } }, state: { type: "PENDING" } },
    );
    const verdicts = new Map(answer.body.results.map((result) => [result.flow_run_id, result.status]));
    expect([verdicts.get(one.id), verdicts.get(two.id)]).toEqual(["ABORT", "ABORT"]);
    await call("POST", "/flow_runs/bulk_set_state", {
      flow_runs: { id: { any_: [one.id, two.id] } },
      state: { type: "CANCELLED" },
    });
    for (const { id } of [one, two]) {
      expect((await call("GET", `/flow_runs/${id}`)).body).toMatchObject({ state_type: "CANCELLED" });
    }
  });

  it("are deleted, and no more than the limit", async ({ expect }) => {
    const flow = await aFlow();
    const runs = await Promise.all([1, 2, 3].map(() => aRun({ flow_id: flow.id, idempotency_key: null })));
    const filter = { flow_runs: { id: { any_: runs.map(({ id }) => id) } } };
    const first = await call<{ deleted: string[] }>("POST", "/flow_runs/bulk_delete", { ...filter, limit: 2 });
    expect(first.body.deleted).toHaveLength(2);
    const second = await call<{ deleted: string[] }>("POST", "/flow_runs/bulk_delete", filter);
    expect([...first.body.deleted, ...second.body.deleted].toSorted()).toEqual(runs.map(({ id }) => id).toSorted());
    expect((await call("POST", "/flow_runs/count", filter)).body).toBe(0);
  });

  it.for([0, 51])("are not asked for %i at a time", async (limit, { expect }) => {
    expect((await call("POST", "/flow_runs/bulk_delete", { limit })).status).toBe(422);
  });

  it("come in numbered pages", async ({ expect }) => {
    const flow = await aFlow();
    const runs: Run[] = [];
    for (let n = 0; n < 5; n++) runs.push(await aRun({ flow_id: flow.id }));
    const page = (number: number) =>
      call<{ results: Run[] }>("POST", "/flow_runs/paginate", {
        flows: { id: { any_: [flow.id] } },
        limit: 2,
        page: number,
      });
    const pages = [await page(1), await page(2), await page(3), await page(4)];
    expect(pages[0]?.body).toMatchObject({ count: 5, limit: 2, pages: 3, page: 1 });
    const ids = pages.flatMap(({ body }) => body.results.map(({ id }) => id));
    expect(ids).toEqual(runs.map(({ id }) => id).toReversed());
  });
});

describe("lateness", () => {
  it("is null without runs and the mean of what started late", async ({ expect }) => {
    const flow = await aFlow();
    const filter = { flows: { id: { any_: [flow.id] } } };
    expect((await call("POST", "/flow_runs/lateness", filter)).body).toBeNull();
    const scheduled_time = new Date(Date.now() - 60_000).toISOString();
    for (const state of [{ type: "SCHEDULED", state_details: { scheduled_time } }, { type: "RUNNING" }]) {
      await call("POST", "/flow_runs/", { flow_id: flow.id, state });
    }
    const answer = await call<number>("POST", "/flow_runs/lateness", filter);
    expect(answer.body).toBeGreaterThan(29.9);
    expect(answer.body).toBeLessThan(40);
  });
});

describe("the log of a flow run", () => {
  it("is downloaded as CSV, in the order of time and with its commas and quotes", async ({ expect }) => {
    const run = await aRun({ name: "björn's run" });
    const line = (second: number, message: string) => ({
      name: "prefect",
      level: 20,
      message,
      timestamp: `2026-01-01T00:00:0${second}Z`,
      flow_run_id: run.id,
    });
    await call("POST", "/logs/", [line(2, 'said "no"'), line(1, "a, b\nc")]);
    const response = await exports.default.fetch(`http://localhost:4200/api/flow_runs/${run.id}/logs/download`);
    expect(response.headers.get("content-disposition")).toContain("bj%C3%B6rn");
    expect(await response.text()).toBe(
      "timestamp,level,flow_run_id,task_run_id,message\r\n" +
        `2026-01-01 00:00:01+00:00,20,${run.id},,"a, b\nc"\r\n` +
        `2026-01-01 00:00:02+00:00,20,${run.id},,"said ""no"""\r\n`,
    );
  });
});

describe("a state of a flow run", () => {
  it("is found by its id among many", async ({ expect }) => {
    const runs = await Promise.all(Array.from({ length: 20 }, () => aRun()));
    for (const run of runs) await call("POST", `/flow_runs/${run.id}/set_state`, { state: { type: "COMPLETED" } });
    await call("PATCH", `/flow_runs/${runs[3]?.id}`, { tags: ["a change that is no state"] });
    for (const run of runs) {
      const states = (await call<{ id: string }[]>("GET", `/flow_run_states/?flow_run_id=${run.id}`)).body;
      expect(states).toHaveLength(2);
      for (const state of states) {
        expect((await call("GET", `/flow_run_states/${state.id}`)).body).toEqual(state);
      }
    }
  });
});

describe("the graph of a flow run", () => {
  it("shows task runs and subflows with their edges", async ({ expect }) => {
    const parent = await aRun();
    const task = async (key: string, inputs: object, type = "COMPLETED") =>
      (
        await call<{ id: string }>("POST", "/task_runs/", {
          flow_run_id: parent.id,
          task_key: key,
          dynamic_key: "0",
          name: key,
          task_inputs: inputs,
          state: { type },
        })
      ).body.id;
    const on = (id: string) => ({ x: [{ input_type: "task_run", id }] });
    const extract = await task("extract", {});
    const child = await task("child", on(extract), "RUNNING");
    const load = await task("load", on(child));
    const inner = await task("inner", { __parents__: [{ input_type: "task_run", id: load }] });
    const subflow = await aRun({ parent_task_run_id: child, name: "small" });
    await call("POST", "/artifacts/", {
      key: "report",
      type: "markdown",
      data: "#",
      flow_run_id: parent.id,
      task_run_id: load,
    });
    await call("POST", "/artifacts/", { type: "progress", data: 50, flow_run_id: parent.id });
    await until("all copies are there", async () => {
      const { body } = await call("POST", "/task_runs/count", {
        flow_runs: { id: { any_: [parent.id] } },
        task_runs: { name: { like_: "" } },
      });
      return Number(body) >= 4;
    });
    const { body } = await call<{
      nodes: [string, Record<string, unknown>][];
      root_node_ids: string[];
      artifacts: unknown[];
    }>("GET", `/flow_runs/${parent.id}/graph-v2`);
    const nodes = new Map(body.nodes);
    expect([...nodes.keys()].toSorted()).toEqual([extract, subflow.id, load, inner].toSorted());
    expect(nodes.get(subflow.id)).toMatchObject({
      kind: "flow-run",
      label: expect.stringMatching(/ \/ small$/),
      parents: [{ id: extract }],
      children: [{ id: load }],
    });
    expect(nodes.get(inner)).toMatchObject({ parents: [], encapsulating: [{ id: load }] });
    expect(nodes.get(load)).toMatchObject({ artifacts: [{ key: "report", is_latest: true, data: null }] });
    expect(body.root_node_ids.toSorted()).toEqual([extract, inner].toSorted());
    expect(body.artifacts).toMatchObject([{ type: "progress", data: 50, is_latest: true }]);
    const dependencies = await call<{ id: string; upstream_dependencies: { id: string }[] }[]>(
      "GET",
      `/flow_runs/${parent.id}/graph`,
    );
    expect(dependencies.body.find(({ id }) => id === load)?.upstream_dependencies).toMatchObject([{ id: child }]);
    const later = await call<{ nodes: [string, unknown][] }>(
      "GET",
      `/flow_runs/${parent.id}/graph-v2?since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`,
    );
    expect(later.body.nodes.map(([id]) => id)).toEqual([subflow.id]);
  });
});
