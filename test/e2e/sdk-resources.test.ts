/** What programs keep in the control plane: variables, blocks, events, progress, small results. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, it } from "vitest";
import { z } from "zod";
import { defineBlock, secret, slackWebhook, webhook } from "../../sdk/blocks/index.ts";
import { createClient } from "../../sdk/client/index.ts";
import { configure } from "../../sdk/flow/configuration.ts";
import { applyDeployment } from "../../sdk/flow/deploy/apply-deployment.ts";
import { planDeployment } from "../../sdk/flow/deploy/deployment.ts";
import { executeFlowRun } from "../../sdk/flow/engine/execute-flow-run.ts";
import {
  artifacts,
  controlPlaneStorage,
  deploy,
  emitEvent,
  flow,
  flowContext,
  jsonSerializer,
  runDeployment,
  SluiceError,
  variables,
} from "../../sdk/index.ts";
import { filterArtifacts } from "../../sdk/protocol/artifacts.ts";
import { readBlockDocumentByName } from "../../sdk/protocol/block-documents.ts";
import { createConcurrencyLimitV2 } from "../../sdk/protocol/concurrency-limits.ts";
import { readDeployment } from "../../sdk/protocol/deployments.ts";
import { createWorkPool } from "../../sdk/protocol/work-pools.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let restore: () => void;

beforeAll(async () => {
  server = await startTestServer();
  restore = configure({ apiUrl: server.apiUrl, echoLogs: false });
});
afterAll(async () => {
  restore?.();
  await server?.[Symbol.asyncDispose]();
});

describe("variables", () => {
  it("are set, read, replaced and taken away", async ({ expect }) => {
    expect(await variables.get("limit", 3)).toBe(3);
    await variables.set("limit", { rows: 5 }, { tags: ["etl"] });
    expect(await variables.get("limit")).toEqual({ rows: 5 });
    await expect(variables.set("limit", 1)).rejects.toThrow(SluiceError);
    await variables.set("limit", 1, { overwrite: true });
    expect(await variables.get("limit")).toBe(1);
    expect([await variables.unset("limit"), await variables.unset("limit")]).toEqual([true, false]);
  });
});

describe("blocks", () => {
  const warehouse = defineBlock({
    slug: "warehouse",
    schema: z.object({ host: z.string(), password: z.string(), port: z.number().default(5432) }),
    secrets: ["password"],
    open: ({ host, port, password }) => ({ address: `${host}:${port}`, login: () => password }),
  });

  it("of a type of one's own are registered, saved and opened; nobody else sees their secrets", async ({ expect }) => {
    await warehouse.save("main", { host: "db", password: "hunter2" });
    const opened = await warehouse.load("main");
    expect([opened.address, opened.login()]).toEqual(["db:5432", "hunter2"]);
    const params = { slug: "warehouse", block_document_name: "main" };
    const shown = await createClient({ url: server.apiUrl }).call(readBlockDocumentByName, { params });
    expect(JSON.stringify(shown)).not.toContain("hunter2");
    await expect(warehouse.save("main", { host: "x", password: "y" })).rejects.toThrow(SluiceError);
    await warehouse.save("main", { host: "other", password: "y" }, { overwrite: true });
    expect((await warehouse.load("main")).address).toBe("other:5432");
    expect([await warehouse.delete("main"), await warehouse.delete("main")]).toEqual([true, false]);
  });

  it("refuse fields that do not fit, without telling their values", async ({ expect }) => {
    const wrong = { host: "db", password: 12345 as unknown as string };
    const error: unknown = await warehouse.save("wrong", wrong).catch((reason: unknown) => reason);
    expect(String(error)).toContain('"password"');
    expect(String(error)).not.toContain("12345");
  });

  it("that come with the package keep a secret, and call an address", async ({ expect }) => {
    await secret.save("token", { value: { key: "abc" } });
    expect((await secret.load("token")).get()).toEqual({ key: "abc" });
    const bodies: string[] = [];
    const http = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        bodies.push(text);
        response.statusCode = text.includes("refuse") ? 403 : 200;
        response.end();
      });
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/T0/secret`;
      await slackWebhook.save("team", { url });
      const team = await slackWebhook.load("team");
      await team.notify("done");
      const refused: unknown = await team.notify("refuse").catch((reason: unknown) => reason);
      expect(String(refused)).toContain("403");
      expect(String(refused)).not.toContain("T0");
      await webhook.save("hook", { url, headers: { "x-key": "1" } });
      await (await webhook.load("hook")).call({ n: 1 });
      expect(bodies.map((body) => JSON.parse(body))).toEqual([{ text: "done" }, { text: "refuse" }, { n: 1 }]);
    } finally {
      http.close();
    }
  });
});

describe("a run", () => {
  it("tells of events, moves a progress and keeps small results", async ({ expect }) => {
    const answer = await flow({ name: "f" }, async () => {
      const event = await emitEvent({ event: "invoice.paid", resource: "invoice.7", payload: { amount: 3 } });
      const progress = await artifacts.progress({ key: "load", progress: 10 });
      await progress.update(90);
      const storage = controlPlaneStorage();
      const { flowRunId } = flowContext();
      const keys = [`runs/${flowRunId}/a-1`, `runs/${flowRunId}/a-10`];
      for (const key of keys) await storage.write(key, await jsonSerializer.encode({ key }));
      await storage.write(keys[0] ?? "", await jsonSerializer.encode({ key: "new" }));
      const read = await Promise.all(
        keys.map(async (key) => jsonSerializer.decode((await storage.read(key)) ?? new Uint8Array())),
      );
      await storage.delete(keys[0] ?? "");
      return { event, read, gone: await storage.read(keys[0] ?? ""), second: keys[1] };
    })();
    expect(answer).toMatchObject({
      event: expect.any(String),
      gone: null,
      read: [{ key: "new" }, { key: answer.second }],
    });
    const client = createClient({ url: server.apiUrl });
    const [progress] = await client.call(filterArtifacts, { body: {} }, { idempotent: true });
    expect(progress?.data).toBe(90);
  });

  it("does not keep what belongs to no run, nor what is too large", async ({ expect }) => {
    await expect(controlPlaneStorage().write("cache/x", new Uint8Array(1))).rejects.toThrow(/results of runs only/);
    await expect(controlPlaneStorage().write("runs/x/y", new Uint8Array(600_000))).rejects.toThrow(
      /more than the control plane keeps/,
    );
  });
});

describe("what a run knows of those above it", () => {
  it("is asked of the control plane when they run elsewhere, as is its deployment", async ({ expect }) => {
    const client = createClient({ url: server.apiUrl });
    const told: unknown[] = [];
    const child = flow({ name: "child-elsewhere" }, async (_given: object, context) => {
      told.push(await context.ancestry(), await context.deployment(), context.uiUrl);
    });
    const id = await applyDeployment(
      client,
      planDeployment(child, { name: "one", parameters: { n: 1 }, version: "5" }),
    );
    const parent = flow({ name: "parent-elsewhere" }, async (_given: object, { flowRunId }) => {
      const { id: runId } = await runDeployment("child-elsewhere/one", { timeout: 0 });
      return [flowRunId, runId] as const;
    });
    const [parentId, flowRunId] = await parent({});
    // As another process would: nothing of the parent is around.
    await executeFlowRun({ client, flowRunId, generation: null, flow: child });
    expect(told).toEqual([
      { parentFlowRunId: parentId, parentDeploymentId: null, rootFlowRunId: parentId },
      { id, name: "one", version: "5", parameters: { n: 1 } },
      `${server.apiUrl.replace(/\/api$/, "")}/runs/${flowRunId}`,
    ]);
  });
});

describe("several deployments", () => {
  it("are made at once for a pool, with a limit that they share, and run in the queue that is asked for", async ({
    expect,
  }) => {
    const client = createClient({ url: server.apiUrl });
    await client.call(createWorkPool, { body: { name: "many", type: "process" } });
    const main = flow({ name: "many" }, async () => {});
    const concurrencyLimit = { globalLimit: "shared-by-many" };
    const planned = ["a", "b"].map((name) => main.toDeployment({ name, entrypoint: "m.ts:main", concurrencyLimit }));
    await expect(deploy(planned, { workPool: "many" })).rejects.toThrow(
      'the limit "shared-by-many", which there is not',
    );
    const limit = await client.call(createConcurrencyLimitV2, { body: { name: "shared-by-many", limit: 2 } });
    const ids = await deploy(planned, { workPool: "many" });
    for (const [index, id] of ids.entries()) {
      const made = await client.call(readDeployment, { params: { id } });
      expect(made).toMatchObject({ name: planned[index]?.body.name, work_pool_name: "many" });
      expect(made.global_concurrency_limit?.id).toBe(limit.id);
    }
    const run = await runDeployment("many/b", { workQueue: "urgent", timeout: 0 });
    expect([run.work_pool_name, run.work_queue_name]).toEqual(["many", "urgent"]);
    // Deployed again without it, it has what it had; with null it has none.
    const limitOf = async (more: { concurrencyLimit?: null }) => {
      const [id] = await deploy([main.toDeployment({ name: "a", entrypoint: "m.ts:main", workPool: "many", ...more })]);
      const again = await client.call(readDeployment, { params: { id: id as NonNullable<typeof id> } });
      return [again.global_concurrency_limit?.name, again.concurrency_options?.collision_strategy];
    };
    expect(await limitOf({})).toEqual(["shared-by-many", "ENQUEUE"]);
    expect(await limitOf({ concurrencyLimit: null })).toEqual([undefined, undefined]);
  });
});
