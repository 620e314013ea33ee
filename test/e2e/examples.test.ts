/** The examples that need a server, all with one, and what they answer. The others are in test/sdk/examples.test.ts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { trace } from "@opentelemetry/api";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, it } from "vitest";
import { approval } from "../../examples/approval.ts";
import { signUp, welcome } from "../../examples/background-tasks.ts";
import { prepare, report } from "../../examples/blocks-and-secrets.ts";
import { deployNightly } from "../../examples/deploy.ts";
import { allRegions, region } from "../../examples/run-deployment.ts";
import { awsCredentials, s3Bucket } from "../../sdk/blocks/index.ts";
import { configure, flow, runDeployment, s3BlockStorage, task } from "../../sdk/index.ts";
import { readDeployment, readDeploymentByName } from "../../sdk/protocol/deployments.ts";
import { filterFlowRuns } from "../../sdk/protocol/flow-runs.ts";
import { filterLogs } from "../../sdk/protocol/logs.ts";
import { readTaskRun, type TaskRun } from "../../sdk/protocol/task-runs.ts";
import { createWorkPool } from "../../sdk/protocol/work-pools.ts";
import { eventually } from "../support/eventually.ts";
import { KNOWN, s3Server } from "../support/s3-server.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { cleanEnvironment } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

let server: TestServer;
let plane: ControlPlane;
let restore: () => void;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  restore = configure({ apiUrl: server.apiUrl, echoLogs: false });
});
afterAll(async () => {
  restore?.();
  await server?.[Symbol.asyncDispose]();
});

const deployment = (flowName: string, name: string) =>
  plane.client.call(readDeploymentByName, { params: { flow: flowName, deployment: name } });

async function logsOf(flowName: string): Promise<string[]> {
  const flows = { name: { any_: [flowName] } };
  const runs = await plane.client.call(filterFlowRuns, { body: { flows } }, { idempotent: true });
  const body = { logs: { flow_run_id: { any_: runs.map(({ id }) => id) } } };
  const found = await plane.client.call(filterLogs, { body }, { idempotent: true });
  return found.map(({ message }) => message);
}

describe("examples", () => {
  it("serve has a deployment for each kind of schedule, which rest when it ends", async ({ expect }) => {
    const program = fileURLToPath(new URL("../../examples/serve.ts", import.meta.url));
    const child = spawn(process.execPath, [program], {
      env: cleanEnvironment({ SLUICE_API_URL: server.apiUrl }),
      stdio: ["ignore", "ignore", "inherit"],
    });
    const names = ["every-morning", "often", "last-friday", "once-and-hourly"];
    try {
      const found = await eventually(
        "all four are there and ready",
        async () => {
          const all = await Promise.all(names.map((name) => deployment("report", name)));
          return all.every(({ status }) => status === "READY") ? all : null;
        },
        { withinMs: 20_000 },
      );
      expect(found.map(({ schedules }) => schedules.map(({ schedule }) => Object.keys(schedule)[0]))).toEqual([
        ["cron"],
        ["interval"],
        ["rrule"],
        expect.arrayContaining(["interval"]),
      ]);
    } finally {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    const after = await Promise.all(names.map((name) => deployment("report", name)));
    expect(after.map(({ paused }) => paused)).toEqual([true, true, true, true]);
  });

  it("deploy brings image, job variables, a limit and a schedule to a pool, twice the same one", async ({ expect }) => {
    await plane.client.call(createWorkPool, { body: { name: "containers", type: "docker" } });
    const id = await deployNightly("containers", "flows:1");
    expect(await deployNightly("containers", "flows:2")).toBe(id);
    const made = await plane.client.call(readDeployment, { params: { id } });
    expect(made).toMatchObject({
      name: "in-a-container",
      work_pool_name: "containers",
      entrypoint: "examples/deploy.ts:nightly",
      parameters: { region: "us" },
      tags: ["night"],
      job_variables: { image: "flows:2", env: { LOG_LEVEL: "debug" }, mem_limit: "512m" },
      concurrency_options: { collision_strategy: "CANCEL_NEW" },
    });
    expect(made.schedules[0]?.schedule).toMatchObject({ cron: "0 3 * * *", timezone: "Europe/London" });
  });

  it("run-deployment waits for its children, whatever becomes of them", { timeout: 60_000 }, async ({ expect }) => {
    const ending = new AbortController();
    const serving = region.serve({ name: "on-demand", signal: ending.signal });
    await eventually("it is served", async () => (await deployment("region", "on-demand")).status === "READY");
    try {
      expect(await allRegions({ names: ["eu", "us", "nowhere"] })).toEqual({
        eu: "Completed",
        us: "Completed",
        nowhere: "Failed",
      });
    } finally {
      ending.abort();
      await serving;
    }
  });

  it("blocks-and-secrets tells people, and its log tells no secret", async ({ expect }) => {
    const bodies: string[] = [];
    const slack = createServer((request, response) => {
      request.on("data", (chunk) => void bodies.push(String(chunk)));
      request.on("end", () => response.end("ok"));
    });
    slack.listen(0, "127.0.0.1");
    await once(slack, "listening");
    try {
      await prepare(`http://127.0.0.1:${(slack.address() as AddressInfo).port}/services/T/B/x`);
      expect(await report()).toBe(3);
    } finally {
      slack.closeAllConnections();
      slack.close();
    }
    expect(bodies.map((body) => JSON.parse(body))).toEqual([{ text: "*Nightly report*\n3 rows in orders" }]);
    const logs = await logsOf("report-to-slack");
    expect(logs).toContain("As etl:******** at db.example: select count(*) from orders");
    expect(logs).toContain("The token is ********.");
  });

  it("background-tasks answers before the work is done, which a task worker does", async ({ expect }) => {
    const asked = (body: string) => signUp(new Request("http://site/sign-ups", { method: "POST", body }));
    expect((await asked("{}")).status).toBe(422);
    const answer = await asked('{"email":"ada@example.com"}');
    expect(answer.status).toBe(202);
    const { taskRunId: id } = (await answer.json()) as { taskRunId: TaskRun["id"] };
    const read = () => plane.client.call(readTaskRun, { params: { id } }, { idempotent: true });
    expect((await read()).state_type).toBe("SCHEDULED");
    const ending = new AbortController();
    const serving = welcome.serve({ signal: ending.signal });
    try {
      await eventually("it is done", async () => (await read()).state_type === "COMPLETED", { withinMs: 20_000 });
    } finally {
      ending.abort();
      await serving;
    }
    const body = { logs: { task_run_id: { any_: [id] } } };
    const lines = await plane.client.call(filterLogs, { body }, { idempotent: true });
    expect(lines.map(({ message }) => message)).toContain("Writing to ada@example.com.");
  });

  it("approval waits for a person, and does what the person said", { timeout: 60_000 }, async ({ expect }) => {
    const waiting = approval({ amount: 120 });
    const flows = { name: { any_: ["approval"] } };
    const run = await eventually("the run is paused", async () => {
      const [found] = await plane.client.call(filterFlowRuns, { body: { flows } }, { idempotent: true });
      return found?.state_type === "PAUSED" ? found : null;
    });
    const answer = (run_input: object): Promise<Response> =>
      fetch(`${server.apiUrl}/flow_runs/${run.id}/resume`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ run_input }),
      });
    expect(await (await answer({ approved: "perhaps" })).json()).toMatchObject({ status: "REJECT" });
    expect(await (await answer({ approved: true })).json()).toMatchObject({ status: "ACCEPT" });
    await waiting;
    expect(await logsOf("approval")).toContain("paid 120");
  });
});

describe("a traced run", () => {
  it("hands its trace to the run of a deployment, in a label", async ({ expect }) => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    try {
      const starts = flow({ name: "starts", flowRunName: "starts" }, async () =>
        runDeployment("region/on-demand", { parameters: { name: "eu" }, timeout: 0 }),
      );
      const { labels } = await starts();
      const [span] = exporter.getFinishedSpans();
      const { traceId, spanId } = span?.spanContext() ?? { traceId: "", spanId: "" };
      expect(span?.name).toBe("starts");
      expect(labels).toMatchObject({ __OTEL_TRACEPARENT: `00-${traceId}-${spanId}-01` });
      const flows = { name: { any_: ["starts"] } };
      const [run] = await plane.client.call(filterFlowRuns, { body: { flows } }, { idempotent: true });
      expect(run?.labels["__OTEL_TRACEPARENT"]).toBe(labels["__OTEL_TRACEPARENT"]);
    } finally {
      trace.disable();
    }
  });
});

describe("results in a bucket that a block names", () => {
  it("are there, by credentials of another block", async ({ expect }) => {
    await using s3 = await s3Server("results");
    await awsCredentials.save("prod", {
      aws_access_key_id: KNOWN.accessKeyId,
      aws_secret_access_key: KNOWN.secretAccessKey,
      aws_client_parameters: { endpoint_url: s3.origin },
    });
    const references = { credentials: { type: "aws-credentials", name: "prod" } };
    await s3Bucket.save("results", { bucket_name: "results", bucket_folder: "runs-of/prod" }, { references });
    const step = task({ name: "step", persist: true, results: { storage: s3BlockStorage("results") } }, async () => 7);
    expect(await flow({ name: "keeps" }, async () => step())()).toBe(7);
    const [key = ""] = s3.objects.keys();
    expect(key).toMatch(/^results\/runs-of\/prod\/runs\//);
    expect(new TextDecoder().decode(s3.objects.get(key))).toMatch(/\n7$/);
  });
});
