/**
 * The same Worker under wrangler's own test harness: what `wrangler dev` runs and `wrangler deploy` uploads, from
 * wrangler.toml as it is. The embedded server has another engine and another configuration, so both are tried.
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";

const KEY = "root-key-of-this-test";

let harness: TestHarness;

beforeAll(async () => {
  process.env["WRANGLER_SEND_METRICS"] = "false";
  harness = createTestHarness({ workers: [{ configPath: "./wrangler.toml", secrets: { SLUICE_ROOT_KEY: KEY } }] });
  await harness.listen();
});

afterAll(async () => {
  await harness.close();
});

async function call<T>(method: string, path: string, body?: unknown, key = KEY): Promise<{ status: number; body: T }> {
  const response = await harness.fetch(`/api${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
}

describe("the Worker under wrangler", () => {
  it("says what to do until its database is migrated, then answers those who have the key", async ({ expect }) => {
    const before = await call<{ fix: string }>("GET", "/health");
    expect(before.status).toBe(503);
    expect(before.body.fix).toContain("wrangler d1 migrations apply");
    await harness.getWorker().applyD1Migrations("DB");
    expect((await call("GET", "/health")).status).toBe(200);
    expect((await call("POST", "/flows/filter", {}, "another-key")).status).toBe(401);
    expect((await call("POST", "/flows/filter", {})).status).toBe(200);
  });

  it("takes a flow run from creation to its end, and lists it", async ({ expect }) => {
    const flow = await call<{ id: string }>("POST", "/flows/", { name: "under-wrangler" });
    const run = await call<{ id: string }>("POST", "/flow_runs/", {
      flow_id: flow.body.id,
      state: { type: "PENDING" },
    });
    for (const type of ["RUNNING", "COMPLETED"]) {
      const verdict = await call<{ status: string }>("POST", `/flow_runs/${run.body.id}/set_state`, {
        state: { type },
      });
      expect(verdict.body.status).toBe("ACCEPT");
    }
    expect((await call("GET", `/flow_runs/${run.body.id}`)).body).toMatchObject({
      state_type: "COMPLETED",
      run_count: 1,
    });
    expect((await call<unknown[]>("POST", "/flow_runs/filter", {})).body).toHaveLength(1);
  });

  it("does its minute's work", async ({ expect }) => {
    const result = await harness.getWorker().scheduled({ cron: "* * * * *" });
    expect(result.outcome).toBe("ok");
  });

  it("serves the page, whatever its path", async ({ expect }) => {
    for (const path of ["/", "/runs/anything"]) {
      const response = await harness.fetch(path);
      expect(response.headers.get("content-type")).toContain("text/html");
      expect(await response.text()).toContain("Sluice");
    }
  });
});
