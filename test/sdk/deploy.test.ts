/** What deployments are planned as, before anything is sent. */
import { describe, it } from "vitest";
import { configure, type DeployAllOptions, deploy, flow, type PlannedDeployment, serve } from "../../sdk/index.ts";

const etl = flow({ name: "etl" }, async () => 1);

/** Answers the bodies that a control plane is sent. */
async function sent(
  deployments: PlannedDeployment | readonly PlannedDeployment[],
  options?: DeployAllOptions,
): Promise<Record<string, unknown>[]> {
  const bodies: Record<string, unknown>[] = [];
  const id = crypto.randomUUID();
  const answer = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const body = JSON.parse(String(init?.body)) as Record<string, unknown>;
    if (!String(url).includes("/deployments/")) return Response.json({ ...BLANK_FLOW, id });
    bodies.push(body);
    return Response.json({ message: "That is enough." }, { status: 422 });
  };
  const restore = configure({ apiUrl: "http://control.example", fetch: answer as typeof fetch });
  try {
    await deploy(deployments, options).catch(() => undefined);
  } finally {
    restore();
  }
  return bodies;
}

const BLANK_FLOW = {
  created: "2026-01-01T00:00:00Z",
  updated: "2026-01-01T00:00:00Z",
  name: "etl",
  tags: [],
  labels: {},
};

describe("deploy() of several deployments", () => {
  it("gives each what all have in common, where it does not say it itself", async ({ expect }) => {
    const common = { workPool: "prod", workQueue: "slow", image: "etl:7", jobVariables: { cpu: 1, env: { A: "1" } } };
    const one = etl.toDeployment({ name: "one", entrypoint: "etl.ts:etl" });
    expect(await sent(one, common)).toMatchObject([
      {
        name: "one",
        work_pool_name: "prod",
        work_queue_name: "slow",
        entrypoint: "etl.ts:etl",
        path: null,
        job_variables: { cpu: 1, env: { A: "1" }, image: "etl:7" },
      },
    ]);
    const own = { workPool: "test", image: "etl:8", jobVariables: { cpu: 4 } };
    const two = etl.toDeployment({ name: "two", entrypoint: "etl.ts:etl", ...own });
    expect(await sent([two], common)).toMatchObject([
      { work_pool_name: "test", work_queue_name: "slow", job_variables: { cpu: 4, env: { A: "1" }, image: "etl:8" } },
    ]);
  });

  it("refuses one without a pool or an entrypoint before anything is sent", async ({ expect }) => {
    const fine = etl.toDeployment({ name: "fine", workPool: "prod", entrypoint: "etl.ts:etl" });
    const nowhere = etl.toDeployment({ name: "nowhere", entrypoint: "etl.ts:etl" });
    const nothing = etl.toDeployment({ name: "nothing", workPool: "prod" });
    await expect(deploy([fine, nowhere])).rejects.toThrow('Deployment "etl/nowhere" has no "workPool".');
    await expect(deploy([fine, nothing])).rejects.toThrow('Deployment "etl/nothing" has no "entrypoint".');
    expect(await sent([fine, nowhere])).toEqual([]);
  });

  it("is not for serve(), which executes runs itself", async ({ expect }) => {
    const one = etl.toDeployment({ name: "one", workPool: "prod" });
    await expect(serve([one])).rejects.toThrow('deployment "etl/one" names a work pool');
  });
});

describe("the concurrency limit of a deployment", () => {
  it("is its own, or one that is shared, with its rules", ({ expect }) => {
    const limit = (concurrencyLimit: Parameters<typeof etl.toDeployment>[0]["concurrencyLimit"]) => {
      const { body, globalLimit } = etl.toDeployment({
        name: "one",
        ...(concurrencyLimit === undefined ? {} : { concurrencyLimit }),
      });
      return [body.concurrency_limit, globalLimit, body.concurrency_options];
    };
    const enqueue = { collision_strategy: "ENQUEUE", grace_period_seconds: null };
    // Left as it is, and taken away.
    expect(limit(undefined)).toEqual([undefined, null, undefined]);
    expect(limit(null)).toEqual([null, null, null]);
    expect(limit(3)).toEqual([3, null, enqueue]);
    expect(limit({ limit: 3, gracePeriod: "2m" })).toEqual([3, null, { ...enqueue, grace_period_seconds: 120 }]);
    expect(limit({ globalLimit: "database", collisionStrategy: "CANCEL_NEW" })).toEqual([
      null,
      "database",
      { collision_strategy: "CANCEL_NEW", grace_period_seconds: null },
    ]);
    expect(() => limit({ limit: 3, gracePeriod: 120 })).toThrow('"gracePeriod" is 120. Give whole seconds from "1m"');
    expect(() => limit({} as never)).toThrow('takes either "limit"');
  });
});
