/** serveFlows() as a Worker runs it, against the control plane that pushes to it. */
import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { sleep } from "../../sdk/flow/control/sleep.ts";
import { type AnyFlow, flow } from "../../sdk/flow/flow.ts";
import { task } from "../../sdk/flow/task.ts";
import { type ServeFlowsOptions, serveFlows } from "../../sdk/http/index.ts";
import { signaturesOf } from "../../worker/push/sign.ts";
import { aFlow, call, freshName } from "./support/api.ts";
import { aRun, propose, stateOf } from "./support/deployed-runs.ts";
import { ACCEPTED, HttpPool } from "./support/pushes.ts";
import { until } from "./support/runs.ts";

const API: Pick<ServeFlowsOptions, "apiUrl" | "fetch"> = {
  apiUrl: "http://localhost:4200/api",
  fetch: ((input: string, init: RequestInit) => exports.default.fetch(input, init)) as typeof fetch,
};

/** A pool whose target is this handler, and the work that its platform keeps it alive for. */
async function servedBy(flows: readonly AnyFlow[], options: ServeFlowsOptions = {}) {
  const pool = await HttpPool.open();
  const work: Promise<unknown>[] = [];
  const handler = serveFlows(flows, { ...API, secret: pool.secret, ...options });
  const ctx = { waitUntil: (one: Promise<unknown>) => void work.push(one) };
  pool.answer = ({ request }) => handler(request, {}, ctx);
  const name = flows[0]?.name ?? "";
  const deployment = await pool.deployment(await aFlow(name));
  /** Delivers messages until the run has ended, or so many were delivered. */
  const finish = async (id: FlowRunId, most = 30): Promise<number> => {
    for (let count = 1; count <= most; count++) {
      await pool.deliver(await pool.message(count));
      await Promise.all(work);
      const { type } = await stateOf(id);
      if (type !== "SCHEDULED" && type !== "PENDING") return count;
    }
    return most;
  };
  return { pool, handler, deployment, work, finish };
}

/** A flow of so many tasks of this length, and what was executed. */
function steps(count: number, spanMs: number) {
  const executed: number[] = [];
  const step = task({ name: "step" }, async (number: number) => {
    executed.push(number);
    await scheduler.wait(spanMs);
    return number * 10;
  });
  let result: number | null = null;
  const made = flow({ name: freshName("steps"), retries: 1 }, async () => {
    let sum = 0;
    for (let number = 1; number <= count; number++) sum += await step(number);
    result = sum;
    return sum;
  });
  return { flow: made, executed, result: () => result };
}

describe("a flow that is served", () => {
  it("is executed once, with its tasks and logs reported, and the answer says so at once", async ({ expect }) => {
    const program = steps(3, 5);
    const { pool, deployment, finish } = await servedBy([program.flow]);
    const id = await aRun(deployment);
    expect(await finish(id)).toBe(1);
    expect(await stateOf(id)).toMatchObject({ type: "COMPLETED" });
    expect(program.executed).toEqual([1, 2, 3]);
    const body = { flow_runs: { id: { any_: [id] } } };
    const { body: tasks } = await call<{ state_type: string }[]>("POST", "/task_runs/filter", body);
    expect(tasks.map(({ state_type }) => state_type)).toEqual(["COMPLETED", "COMPLETED", "COMPLETED"]);
    await until("the slot", async () => (await pool.stub.status()).held === 0);
    expect(await pool.stub.nextPush(id, 1)).toBeNull();
  });

  it("is executed once when the push comes twice, to one handler or to two", async ({ expect }) => {
    const program = steps(2, 20);
    const { pool, handler, deployment, work } = await servedBy([program.flow]);
    const elsewhere = serveFlows([program.flow], { ...API, secret: pool.secret });
    const answers: Response[] = [];
    const ctx = { waitUntil: (one: Promise<unknown>) => void work.push(one) };
    pool.answer = async ({ request }) => {
      const copies = [request.clone(), request.clone(), request.clone()] as const;
      answers.push(...(await Promise.all([handler(copies[0], {}, ctx), handler(copies[1], {}, ctx)])));
      answers.push(await elsewhere(copies[2], {}, ctx));
      return ACCEPTED();
    };
    const id = await aRun(deployment);
    await pool.deliver(await pool.message(1));
    await Promise.all(work);
    // One that comes when all is over does nothing either.
    const [{ request, body } = expect.fail("nothing was pushed")] = pool.received;
    await serveFlows([program.flow], { ...API, secret: pool.secret })(
      new Request(request.url, { method: "POST", body, headers: request.headers }),
      {},
      ctx,
    );
    await Promise.all(work);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    const said = await Promise.all(answers.map((answer) => answer.json<{ duplicate: boolean }>()));
    expect(said.map(({ duplicate }) => duplicate).sort()).toEqual([false, false, true]);
    expect(program.executed).toEqual([1, 2]);
    expect(await stateOf(id)).toMatchObject({ type: "COMPLETED" });
  });

  it("goes on in further requests when its time is over, and executes no task twice", async ({ expect }) => {
    const program = steps(8, 60);
    const { deployment, finish } = await servedBy([program.flow], { budget: 3_000, reserve: 2_700 });
    const id = await aRun(deployment);
    const requests = await finish(id);
    expect(await stateOf(id)).toMatchObject({ type: "COMPLETED" });
    expect(requests).toBeGreaterThan(1);
    expect(program.executed).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(program.result()).toBe(360);
    const { body: run } = await call<{ run_count: number }>("GET", `/flow_runs/${id}`);
    expect(run.run_count).toBe(1);
    const { body: tasks } = await call<unknown[]>("POST", "/task_runs/filter", { flow_runs: { id: { any_: [id] } } });
    expect(tasks).toHaveLength(8);
  });

  it("lets tasks end that are under way, and tasks wait that another one called", async ({ expect }) => {
    const executed: string[] = [];
    const inner = task({ name: "inner" }, async (name: string) => {
      executed.push(name);
      await scheduler.wait(80);
      return name;
    });
    const outer = task({ name: "outer" }, async (name: string) => {
      const first = await inner(`${name}1`);
      return `${first}${await inner(`${name}2`)}`;
    });
    const made = flow({ name: freshName("nested") }, async () => {
      const futures = ["a", "b"].map((name) => outer.submit(name));
      await Promise.all(futures.map((future) => future.result()));
    });
    const { deployment, finish } = await servedBy([made], { budget: 5_000, reserve: 4_950 });
    const id = await aRun(deployment);
    const startedAt = Date.now();
    await finish(id);
    expect(await stateOf(id)).toMatchObject({ type: "COMPLETED" });
    expect(executed.sort()).toEqual(["a1", "a2", "b1", "b2"]);
    // Nobody waited for the end of the budget where only callers of held tasks were left.
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  });

  it("is Crashed with what to do when no task fits into its time", async ({ expect }) => {
    const program = steps(2, 2_000);
    const { deployment, finish } = await servedBy([program.flow], { budget: 300 });
    const id = await aRun(deployment);
    // A slow start is not the task's fault: then it is given a second request.
    expect(await finish(id)).toBeLessThanOrEqual(2);
    expect(await stateOf(id)).toMatchObject({
      type: "CRASHED",
      message: expect.stringContaining("Make tasks smaller"),
    });
  });

  it("does not spend its time on sleeping: it is pushed when the sleep is over", async ({ expect }) => {
    let wakes = 0;
    const made = flow({ name: freshName("sleeper") }, async () => {
      await sleep("1h");
      wakes += 1;
    });
    const { pool, deployment, work } = await servedBy([made], { budget: 2_000 });
    const id = await aRun(deployment);
    await pool.deliver(await pool.message(1));
    await Promise.all(work);
    const { type, name, state_details } = await stateOf(id);
    expect([type, name, wakes]).toEqual(["SCHEDULED", "Continuing", 0]);
    expect(Date.parse(state_details.scheduled_time) - Date.now()).toBeGreaterThan(59 * 60_000);
    expect(await pool.stub.status()).toMatchObject({ held: 0, ready: 1 });
  });

  it("is not begun when it was cancelled on its way", async ({ expect }) => {
    const program = steps(1, 5);
    const { pool, deployment, work } = await servedBy([program.flow]);
    const id = await aRun(deployment);
    const { answer } = pool;
    pool.answer = async (received) => {
      await propose(id, "CANCELLING");
      return answer(received);
    };
    await pool.deliver(await pool.message(1));
    await Promise.all(work);
    expect(await stateOf(id)).toMatchObject({ type: "CANCELLED" });
    expect(program.executed).toEqual([]);
  });

  it("keeps its answer open until it has ended, where that is wanted", async ({ expect }) => {
    const program = steps(1, 50);
    const { pool, handler, deployment } = await servedBy([program.flow], { keepOpen: true });
    const id = await aRun(deployment);
    let rest = "";
    pool.answer = async ({ request }) => {
      const answer = await handler(request);
      const [ours, theirs] = answer.body?.tee() ?? [];
      rest = "open";
      void new Response(ours).text().then((text) => {
        rest = text;
      });
      return new Response(theirs ?? null, { status: answer.status });
    };
    await pool.deliver(await pool.message(1));
    expect(rest).toBe("open");
    await until("the end of the answer", async () => rest !== "open");
    expect(await stateOf(id)).toMatchObject({ type: "COMPLETED" });
  });
});

describe("a request that no pool signed", () => {
  const secret = `whsec_${btoa("a secret of a test only..")}`;
  const data = {
    protocol: 1,
    flow_run_id: "0193a000-0000-7000-8000-00000000dead",
    name: "quiet-otter",
    generation: 1,
    deployment_id: null,
    flow_name: "once",
    entrypoint: null,
    run_token: null,
    api_url: null,
  };
  const ID = `run_${data.flow_run_id}_1`;
  const nowSeconds = () => Math.floor(Date.now() / 1000);

  /** A request that is as it should be, but for what is changed after it was signed, or before. */
  async function request(
    change: {
      readonly data?: object;
      readonly id?: string;
      readonly at?: number;
      readonly with?: string;
      readonly after?: { readonly body?: string; readonly headers?: Record<string, string | null> };
    } = {},
  ): Promise<Request> {
    const { id = ID, at = nowSeconds(), with: key = secret, after = {} } = change;
    const timestamp = new Date(at * 1000).toISOString();
    const body = JSON.stringify({ type: "flow_run.push", timestamp, data: { ...data, ...change.data } });
    const headers = new Headers({
      "webhook-id": id,
      "webhook-timestamp": String(at),
      "webhook-signature": await signaturesOf([key], { id, timestamp: at, body }),
    });
    for (const [name, value] of Object.entries(after.headers ?? {})) {
      if (value === null) headers.delete(name);
      else headers.set(name, value);
    }
    return new Request("https://flows.example/", { method: "POST", headers, body: after.body ?? body });
  }

  function once() {
    let asked = 0;
    const made = flow({ name: "once" }, async () => {});
    const fetched = (async () => {
      asked += 1;
      return Response.json({ detail: "no" }, { status: 404 });
    }) as unknown as typeof fetch;
    const handler = serveFlows({ made, other: 1 }, { apiUrl: "https://api.example/api", secret, fetch: fetched });
    return { handler, asked: () => asked };
  }

  it.for([
    ["without a signature", { after: { headers: { "webhook-signature": null } } }, 401],
    ["without an id", { after: { headers: { "webhook-id": null } } }, 401],
    ["with an empty signature", { after: { headers: { "webhook-signature": "v1," } } }, 401],
    ["with a signature of another kind", { after: { headers: { "webhook-signature": "v1a,AAAA" } } }, 401],
    ["with another body", { after: { body: "{}" } }, 401],
    ["with another id", { after: { headers: { "webhook-id": "run_x_1" } } }, 401],
    ["with a later time", { after: { headers: { "webhook-timestamp": String(nowSeconds() + 60) } } }, 401],
    ["with a time that is none", { after: { headers: { "webhook-timestamp": "soon" } } }, 401],
    ["signed with another secret", { with: `whsec_${btoa("another secret of a test.")}` }, 401],
    ["signed six minutes ago", { at: nowSeconds() - 360 }, 401],
    ["signed in six minutes", { at: nowSeconds() + 360 }, 401],
    ["whose id is of another claim", { id: `run_${data.flow_run_id}_2` }, 400],
    ["of another version", { data: { protocol: 2 } }, 400],
    ["that is not understood", { data: { flow_run_id: "x" } }, 400],
    ["for a flow that is not here", { data: { flow_name: "twice" } }, 404],
    ["that is too large", { data: { name: "x".repeat(70_000) } }, 413],
  ] as const)("%s is refused, and nothing is started", async ([, change, status], { expect }) => {
    const { handler, asked } = once();
    const answer = await handler(await request(change));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ detail: expect.any(String) });
    await scheduler.wait(5);
    expect(asked()).toBe(0);
  });

  it("would have been taken otherwise", async ({ expect }) => {
    const { handler, asked } = once();
    expect((await handler(await request())).status).toBe(202);
    await until("the question for the run", async () => asked() > 0);
  });

  it("is told which method is right", async ({ expect }) => {
    const answer = await once().handler(new Request("https://flows.example/"));
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("finds its secret and its control plane in what the platform hands over", async ({ expect }) => {
    const handler = serveFlows([flow({ name: "once" }, async () => {})]);
    expect((await handler(await request(), {})).status).toBe(500);
    expect((await handler(await request(), { SLUICE_PUSH_SECRET: secret })).status).toBe(500);
    const env = { SLUICE_PUSH_SECRET: `${secret}, whsec_old`, SLUICE_API_URL: "http://127.0.0.1:9/api" };
    expect((await handler(await request(), env)).status).toBe(202);
  });

  it("cannot be served by nothing, or by two of one name", ({ expect }) => {
    expect(() => serveFlows([])).toThrow("no flow");
    const two = () => [flow({ name: "once" }, async () => 1), flow({ name: "once" }, async () => 2)];
    expect(() => serveFlows(two())).toThrow('called "once"');
    expect(() => serveFlows([flow({ name: "once" }, async () => 1)], { budget: "soon" as never })).toThrow("budget");
  });
});
