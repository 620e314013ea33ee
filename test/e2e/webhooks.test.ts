/** A signed webhook starts a run on a worker that is connected, typed as a person does it. */
import { createHmac } from "node:crypto";
import { describe, it } from "vitest";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";
import { controlPlane, traceFile } from "./control-plane.ts";

const SECRET = "shared-with-github";

describe("a webhook", () => {
  it("starts the run of a signed delivery on a connected worker, and after a restart again", async ({ expect }) => {
    await using server = await startTestServer();
    const plane = controlPlane(server.apiUrl);
    using trace = traceFile();
    await plane.pool("hooked");
    await plane.deploy("test/e2e/flows/steps.ts:steps", "hooked", { name: "hooked" });
    const env = { SLUICE_API_URL: server.apiUrl, SLUICE_WEBHOOK_SECRET: SECRET };
    const type = async (...words: string[]) => {
      const { exitCode, stdout, stderr } = await sluice([...words, "--output", "json"], { env });
      if (exitCode !== 0) throw new Error(stderr);
      expect(stdout).not.toContain(SECRET);
      return JSON.parse(stdout);
    };
    const parameters = JSON.stringify({ trace: "{{ body.trace }}", steps: "{{ body.steps }}" });
    const { path } = await type("webhook", "create", "e2e/hooked", "--verify", "github", "--parameters", parameters);
    const deliver = async (body: string, signature?: string) => {
      const digest = createHmac("sha256", SECRET).update(body).digest("hex");
      const headers = { "x-hub-signature-256": signature ?? `sha256=${digest}`, "content-type": "application/json" };
      return fetch(`${server.origin}${path}`, { method: "POST", headers, body });
    };
    const runOf = async (answer: Response) => ((await answer.json()) as { flow_run_id: FlowRunId }).flow_run_id;
    {
      await using _worker = await startWorker({ apiUrl: server.apiUrl, pool: "hooked" });
      const answer = await deliver(JSON.stringify({ trace: trace.path, steps: 2 }));
      expect(answer.status).toBe(202);
      expect((await plane.ends(await runOf(answer))).state_name).toBe("Completed");
      expect((await deliver("{}", "sha256=00")).status).toBe(401);
    }
    // What was answered is there after a kill, and its run is taken by the next worker.
    const answer = await deliver(JSON.stringify({ trace: trace.path, steps: 1 }));
    await server.kill("SIGKILL");
    await server.restart();
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool: "hooked" });
    expect((await plane.ends(await runOf(answer))).state_name).toBe("Completed");
    expect(trace.read().filter(({ what }) => what === "start")).toHaveLength(2);
    const slug = path.split("/").at(-1);
    const [last, refused] = await type("webhook", "deliveries", slug);
    expect([last.verdict, refused.verdict]).toEqual(["accepted", "refused"]);
    const resent = await type("webhook", "resend", slug, last.id);
    expect((await plane.ends(resent.flow_run_id)).state_name).toBe("Completed");
    await type("webhook", "delete", slug);
    expect((await deliver("{}")).status).toBe(404);
  });
});
