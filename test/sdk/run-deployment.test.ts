/** Runs of deployments that programs ask for: what they ask, and how they wait. */
import { describe, it } from "vitest";
import { flow, type RunDeploymentOptions, runDeployment, waitForFlowRun } from "../../sdk/index.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { scripted } from "./scripted-fetch.ts";
import { BLANK_RUN, type TinyControlPlane, type TinyRun, tinyControlPlane } from "./tiny-control-plane.ts";
import { until } from "./until.ts";

const AT = "2026-11-21T05:14:31Z";
const DEPLOYMENT = {
  id: "019ab5c2-0000-7000-8000-000000000001",
  created: AT,
  updated: AT,
  name: "nightly",
  flow_id: "019ab5c2-0000-7000-8000-000000000002",
  paused: false,
  schedules: [],
  global_concurrency_limit: null,
  tags: [],
  work_queue_name: null,
  work_queue_id: null,
  work_pool_name: null,
  last_polled: null,
  status: "READY",
  version: null,
  description: null,
  concurrency_limit: null,
  concurrency_options: null,
  job_variables: {},
  parameters: {},
  labels: {},
  parameter_openapi_schema: null,
  path: null,
  pull_steps: null,
  entrypoint: null,
  storage_document_id: null,
  infrastructure_document_id: null,
  created_by: null,
  updated_by: null,
  enforce_parameter_schema: true,
};

type Body = Record<string, unknown>;

/** A control plane with the deployment `shop/nightly`, whose runs wait until the test ends them. */
class Shop implements AsyncDisposable {
  readonly plane: TinyControlPlane;
  /** What runs were asked for with. */
  readonly asked: Body[] = [];
  /** Task runs that were made over REST. */
  readonly taskRuns: Body[] = [];
  readonly #byKey = new Map<unknown, TinyRun>();
  readonly #restore: Disposable;

  static async open(): Promise<Shop> {
    return new Shop(await tinyControlPlane());
  }

  private constructor(plane: TinyControlPlane) {
    this.plane = plane;
    this.#restore = scripted(plane, (path, body) => this.#answer(path.join("/"), body));
  }

  /** The runs of the deployment, in the order in which they were made. */
  get runs(): TinyRun[] {
    return [...this.#byKey.values()];
  }

  end(run: TinyRun | undefined): void {
    if (run) this.plane.setState(run, "COMPLETED");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#restore[Symbol.dispose]();
    await this.plane[Symbol.asyncDispose]();
  }

  async #answer(path: string, body: Body): Promise<unknown> {
    if (path === "deployments/name/shop/nightly") return DEPLOYMENT;
    if (path === "task_runs/") {
      this.taskRuns.push(body);
      const { id, name, task_key, dynamic_key, flow_run_id } = body;
      const given = { id, name, task_key, dynamic_key, flow_run_id, created: AT, updated: AT };
      return { ...BLANK_RUN, ...given, ...BLANK_TASK_RUN };
    }
    if (path !== `deployments/${DEPLOYMENT.id}/create_flow_run`) return null;
    this.asked.push(body);
    const run = this.#byKey.get(body["idempotency_key"]) ?? this.plane.createRun();
    this.#byKey.set(body["idempotency_key"], run);
    return await (await fetch(`${this.plane.url}/flow_runs/${run.id}`)).json();
  }
}

const BLANK_TASK_RUN = {
  cache_key: null,
  cache_expiration: null,
  task_version: null,
  empirical_policy: {},
  task_inputs: {},
  state_id: null,
  state_type: null,
  state_name: null,
  state: null,
  run_count: 0,
  flow_run_run_count: 0,
};

/** Asks for a run inside a flow, does not wait for it, and answers what was asked. */
async function askedInFlow(shop: Shop, options: RunDeploymentOptions): Promise<{ flowRunId: string; body: Body }> {
  const main = flow({ name: "main" }, async (_, { flowRunId }) => {
    await runDeployment("shop/nightly", { timeout: 0, ...options });
    return flowRunId;
  });
  return { flowRunId: await main(), body: shop.asked.at(-1) ?? {} };
}

describe("runDeployment", () => {
  it("asks for a child of the run that calls it, by a key of the call, unless it is told otherwise", async ({
    expect,
  }) => {
    await using shop = await Shop.open();
    const { flowRunId, body } = await askedInFlow(shop, {});
    const [{ id, name } = {}] = shop.taskRuns;
    expect(name).toBe("shop/nightly-0");
    expect(body).toMatchObject({ parent_task_run_id: id, idempotency_key: `${flowRunId}-${id}` });
  });

  it("asks for a run of its own with asSubflow: false, and for another one the next time", async ({ expect }) => {
    await using shop = await Shop.open();
    const { body } = await askedInFlow(shop, { asSubflow: false });
    await askedInFlow(shop, { asSubflow: false });
    expect(shop.taskRuns).toEqual([]);
    expect(body).not.toHaveProperty("parent_task_run_id");
    expect(shop.runs).toHaveLength(2);
  });

  it("answers the first run where it is asked again with its idempotencyKey, also in a flow", async ({ expect }) => {
    await using shop = await Shop.open();
    const options = { idempotencyKey: "order-7", timeout: 0 };
    const first = await runDeployment("shop/nightly", options);
    const second = await runDeployment("shop/nightly", options);
    const { body } = await askedInFlow(shop, options);
    expect(second.id).toBe(first.id);
    expect(body).toMatchObject({ idempotency_key: "order-7", parent_task_run_id: shop.taskRuns[0]?.["id"] });
    expect(shop.runs).toHaveLength(1);
  });

  it("asks for a run that is scheduled when scheduledTime says so; without it, for one now", async ({ expect }) => {
    await using shop = await Shop.open();
    const scheduledTime = new Date("2026-12-24T18:00:00Z");
    const { body } = await askedInFlow(shop, { scheduledTime });
    expect(body).toMatchObject({
      state: { type: "SCHEDULED", state_details: { scheduled_time: "2026-12-24T18:00:00.000Z" } },
    });
    expect((await askedInFlow(shop, {})).body).not.toHaveProperty("state");
  });

  it("hands on what the run is to have, and nothing that was not said", async ({ expect }) => {
    await using shop = await Shop.open();
    const given = { parameters: { day: 1 }, flowRunName: "today", tags: ["a"], jobVariables: { cpu: 2 } };
    await runDeployment("shop/nightly", { timeout: 0, ...given, idempotencyKey: "k" });
    await runDeployment("shop/nightly", { timeout: 0, idempotencyKey: "l" });
    expect(shop.asked).toEqual([
      { parameters: { day: 1 }, name: "today", tags: ["a"], job_variables: { cpu: 2 }, idempotency_key: "k" },
      { idempotency_key: "l" },
    ]);
  });

  it("answers the run when it has ended, or as it is when its timeout has passed", async ({ expect }) => {
    await using shop = await Shop.open();
    const ends = runDeployment("shop/nightly");
    await until("the run", () => shop.runs.length === 1);
    shop.end(shop.runs[0]);
    expect((await ends).state_type).toBe("COMPLETED");
    expect((await runDeployment("shop/nightly", { timeout: "30ms" })).state_type).toBe("PENDING");
  });

  it("stops waiting with the reason of its signal, and leaves the run to itself", async ({ expect }) => {
    await using shop = await Shop.open();
    const stop = new AbortController();
    const waiting = runDeployment("shop/nightly", { signal: stop.signal });
    await until("the run", () => shop.runs.length === 1);
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(shop.runs[0]?.record.state?.type).toBe("PENDING");
  });

  it("refuses a name that is not one of a deployment, or that no deployment has", async ({ expect }) => {
    await using _ = await Shop.open();
    await expect(runDeployment("nightly")).rejects.toThrow(
      'The deployment is "nightly". Give "flow-name/deployment-name".',
    );
    await expect(runDeployment("shop/daily")).rejects.toMatchObject({ name: "SluiceError", code: "not_found" });
  });
});

describe("waitForFlowRun", () => {
  it("answers a run when it has ended, however it ended", async ({ expect }) => {
    await using shop = await Shop.open();
    const run = shop.plane.createRun();
    const waiting = waitForFlowRun(run.id);
    await until("a look at the run", () => shop.plane.requests.includes(`GET /api/flow_runs/${run.id}`));
    shop.plane.setState(run, "FAILED");
    expect(await waiting).toMatchObject({ id: run.id, state_type: "FAILED" });
  });

  it.for<[what: string, options: () => object, error: object]>([
    [
      "TimedOutError when its timeout has passed",
      () => ({ timeout: "30ms" }),
      { name: "TimedOutError", message: 'Waiting for flow run "tiny-run" exceeded its timeout of 30 ms.' },
    ],
    ["the reason of its signal", () => ({ signal: AbortSignal.timeout(30) }), { name: "TimeoutError" }],
    ["TypeError for what is no span", () => ({ timeout: "soon" }), { name: "TypeError" }],
  ])("throws %s", async ([, options, error], { expect }) => {
    await using shop = await Shop.open();
    await expect(waitForFlowRun(shop.plane.createRun().id, options())).rejects.toMatchObject(error);
  });

  it("throws for a run that there is not", async ({ expect }) => {
    await using _ = await Shop.open();
    const id = "019ab5c2-0000-7000-8000-00000000000f" as FlowRunId;
    await expect(waitForFlowRun(id)).rejects.toMatchObject({ name: "SluiceError", code: "not_found" });
  });

  it("stops with the run that the calling code belongs to", async ({ expect }) => {
    await using shop = await Shop.open();
    const other = shop.plane.createRun();
    let own: TinyRun | undefined;
    const main = flow({ name: "main" }, async (_, { flowRunId }) => {
      own = shop.plane.runs.get(flowRunId);
      return await waitForFlowRun(other.id).catch((error: unknown) => String(error));
    });
    const running = main().catch((error: unknown) => error);
    await until("a look at the run", () => shop.plane.requests.includes(`GET /api/flow_runs/${other.id}`));
    if (own) shop.plane.setState(own, "CANCELLING");
    expect(await running).toMatchObject({ name: "FlowRunStoppedError" });
    expect(other.record.state?.type).toBe("PENDING");
  });
});
