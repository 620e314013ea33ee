/**
 * Parameters that a deployment's schema marks secret, as whoever only looks is shown them.
 *
 * Teeth: an answer that shows them, of a deployment, its schedules and versions, a run, a list or a page of runs, the live
 * stream or one of its later frames, fails here, and so does one that hides them from who runs them.
 */
import { describe, it } from "vitest";
import { createApp } from "../../../worker/app.ts";
import { aFlow, freshName } from "../support/api.ts";
import { aKey, ask, closedEnv } from "../support/keys.ts";
import { until } from "../support/runs.ts";

const SECRET = "the secret of the parameters";
const parameter_openapi_schema = {
  type: "object",
  properties: { token: { type: "string", format: "password" }, day: { type: "string" } },
};
const parameters = { token: SECRET, day: "monday" };
const HIDDEN = { token: "********", day: "monday" };

interface Made {
  readonly id: string;
  readonly parameters: object;
}

const keys = {
  viewer: (await aKey("viewer")).key,
  worker: (await aKey("worker")).key,
  operator: (await aKey("operator")).key,
};
type Who = keyof typeof keys;

async function answer<T>(who: Who, method: string, path: string, body?: unknown): Promise<T> {
  const response = await ask(method, path, { key: keys[who], ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === "" ? null : JSON.parse(text)) as T;
}

async function deployed(): Promise<{ deployment: Made; run: Made }> {
  const flow = await aFlow();
  const schedules = [{ schedule: { interval: 3_600 }, active: false, parameters }];
  const body = { name: freshName("deployment"), flow_id: flow.id, parameters, parameter_openapi_schema, schedules };
  const deployment = await answer<Made>("operator", "POST", "/deployments/", body);
  const run = await answer<Made>("operator", "POST", `/deployments/${deployment.id}/create_flow_run`, { parameters });
  return { deployment, run };
}

describe("secret parameters", () => {
  it("are hidden from whoever only looks, wherever they are shown", async ({ expect }) => {
    const { deployment, run } = await deployed();
    expect(run.parameters).toEqual(parameters);
    const only = { deployments: { id: { any_: [deployment.id] } } };
    const reads = [
      ["GET", `/deployments/${deployment.id}`],
      ["POST", "/deployments/filter", only],
      ["POST", "/deployments/paginate", only],
      ["GET", `/deployments/${deployment.id}/schedules`],
      ["GET", `/deployments/${deployment.id}/versions`],
      ["GET", `/flow_runs/${run.id}`],
      ["POST", "/flow_runs/filter", only],
      ["POST", "/flow_runs/paginate", only],
    ] as const;
    for (const [method, path, body] of reads) {
      const shown = JSON.stringify(await answer("viewer", method, path, body));
      expect(shown, `${method} ${path}`).not.toContain(SECRET);
      expect(shown, `${method} ${path}`).toContain(JSON.stringify(HIDDEN).slice(1, -1));
      for (const who of ["worker", "operator"] as const) {
        expect(JSON.stringify(await answer(who, method, path, body)), `${who} ${path}`).toContain(SECRET);
      }
    }
  });

  it("are not told by the error that refuses them", async ({ expect }) => {
    const { deployment } = await deployed();
    const asked = (given: object) =>
      ask("POST", `/deployments/${deployment.id}/create_flow_run`, { key: keys.operator, body: { parameters: given } });
    const refused = await asked({ token: { within: SECRET } });
    const text = await refused.text();
    expect([refused.status, text]).toEqual([409, expect.stringContaining("for field 'token'")]);
    expect(text).not.toContain(SECRET);
    expect(await (await asked({ token: SECRET, day: 7 })).text()).toContain("7 is not of type 'string'");
  });

  it("stay hidden in the live stream of a run, and in what it tells later", async ({ expect }) => {
    const { run } = await deployed();
    const told: Record<Who, string[]> = { viewer: [], worker: [], operator: [] };
    for (const who of ["viewer", "operator"] as const) {
      const headers = { host: "localhost:4200", upgrade: "websocket", authorization: `Bearer ${keys[who]}` };
      const response = await createApp().request(
        `http://localhost:4200/api/flow_runs/${run.id}/stream`,
        { headers },
        closedEnv,
      );
      const socket = response.webSocket;
      if (!socket) throw new Error(`No WebSocket: ${response.status}`);
      socket.addEventListener("message", ({ data }) => void told[who].push(String(data)));
      socket.accept();
    }
    await answer("operator", "POST", `/flow_runs/${run.id}/set_state`, { state: { type: "CANCELLED" }, force: true });
    for (const who of ["viewer", "operator"] as const) {
      await until("its end is told", async () => told[who].some((frame) => frame.includes('"CANCELLED"')));
    }
    const frames = told.viewer.filter((frame) => frame.includes('"parameters"'));
    expect(frames.length).toBeGreaterThan(1);
    for (const frame of frames) expect(frame).toContain('"token":"********"');
    expect(told.viewer.join()).not.toContain(SECRET);
    expect(told.operator.join()).toContain(SECRET);
  });

  it("are hidden with all others where the deployment is gone, and nobody knows which they were", async ({
    expect,
  }) => {
    const { deployment, run } = await deployed();
    await answer("operator", "POST", `/flow_runs/${run.id}/set_state`, { state: { type: "COMPLETED" }, force: true });
    await answer("operator", "DELETE", `/deployments/${deployment.id}`);
    const shown = await answer<Made & { deployment_id: string | null }>("viewer", "GET", `/flow_runs/${run.id}`);
    if (shown.deployment_id === null) throw new Error("The run does not say of which deployment it was.");
    expect(shown.parameters).toEqual({ token: "********", day: "********" });
  });
});
