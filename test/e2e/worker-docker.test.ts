/** A worker of type docker, a real server, and a daemon that refuses what Docker's published API does not allow. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "vitest";
import { saveBlock } from "../../sdk/client/index.ts";
import type { JsonObject } from "../../sdk/protocol/flow-runs.ts";
import { createWorkPool, readWorkPool, updateWorkPool } from "../../sdk/protocol/work-pools.ts";
import { eventually } from "../support/eventually.ts";
import { type StartedWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { type DockerDaemon, startDockerDaemon } from "./docker-daemon.ts";

let server: TestServer;
let plane: ControlPlane;
let daemon: DockerDaemon;
let worker: StartedWorker;
let pool: string;
let pools = 0;

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: "1000" } });
  plane = controlPlane(server.apiUrl);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  daemon = await startDockerDaemon();
  daemon.images.add("app:1");
  pool = `containers-${++pools}`;
  await plane.client.call(createWorkPool, { body: { name: pool, type: "docker" } });
  const words = ["--type", "docker", "--kill-grace", "1"];
  worker = await startWorker({ apiUrl: server.apiUrl, pool, env: { DOCKER_HOST: daemon.host }, words });
});
afterEach(async ({ expect }) => {
  await worker[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  expect(daemon.refused).toEqual([]);
});

async function trigger(entrypoint: string | null, job_variables: JsonObject, parameters: JsonObject = {}) {
  return await plane.trigger(await plane.deploy(entrypoint, pool, { job_variables }), parameters);
}

describe("a worker of type docker", () => {
  it("runs a flow by the Sluice of its image", async ({ expect }) => {
    const { id } = await trigger("examples/hello.ts:hello", { image: "app:1", auto_remove: true });
    expect((await plane.ends(id)).state_name, worker.text()).toBe("Completed");
    const [container] = daemon.containers;
    expect(container?.options).toMatchObject({ Image: "app:1", Cmd: ["sluice", "flow-run", "execute"] });
    expect(container?.options.Labels).toMatchObject({ "sluice.flow-run-id": id });
    expect(container?.options.HostConfig.ExtraHosts).toEqual(["host.docker.internal:host-gateway"]);
    expect(container?.options.Env).toContain(`SLUICE_FLOW_RUN_ID=${id}`);
    await eventually("it is removed", () => daemon.containers[0]?.isRemoved);
  });

  it("runs a command, with what the job says of its container", async ({ expect }) => {
    const { id } = await trigger(null, {
      image: "app:1",
      command: "sh -c 'echo $GREETING; echo oh >&2'",
      env: { GREETING: "hello" },
      labels: { team: "data" },
      networks: ["n1", "n2"],
      volumes: ["/data:/data:ro"],
      mem_limit: "512m",
      memswap_limit: "1g",
      cpus: 1.1,
      privileged: true,
    });
    expect((await plane.ends(id)).state_name, worker.text()).toBe("Completed");
    const lines = (await plane.logs(id)).map(({ message }) => message);
    expect(lines.sort()).toEqual(["hello", "oh"]);
    const [container] = daemon.containers;
    expect(container).toMatchObject({ networks: ["n1", "n2"], isRemoved: false });
    expect(container?.options.Labels).toMatchObject({ team: "data" });
    expect(container?.options.HostConfig).toMatchObject({
      Binds: ["/data:/data:ro"],
      Memory: 512 * 1024 ** 2,
      MemorySwap: 1024 ** 3,
      NanoCpus: 1_100_000_000,
      Privileged: true,
    });
  });

  it("pulls an image that is not there, with the credentials of a block", async ({ expect }) => {
    daemon.registry.add("registry.example.com/app:2");
    const value = { username: "u", password: "p", registry_url: "registry.example.com" };
    const { id: block } = await saveBlock(plane.client, { type: "secret", name: `registry-${pools}` }, { value });
    // As the forms of a pool's template keep a block that was chosen.
    const { base_job_template: template } = await plane.client.call(readWorkPool, { params: { name: pool } });
    const variables = template["variables"] as { properties: Record<string, object> };
    const properties = {
      ...variables.properties,
      registry_credentials: { type: "object", default: { $ref: { block_document_id: block } } },
    };
    const base_job_template = { ...template, variables: { ...variables, properties } };
    await plane.client.call(updateWorkPool, { params: { name: pool }, body: { base_job_template } });
    const { id } = await trigger(null, { image: "registry.example.com/app:2", command: "true" });
    expect((await plane.ends(id)).state_name, worker.text()).toBe("Completed");
    expect(daemon.pulls).toEqual([
      {
        image: "registry.example.com/app:2",
        auth: { username: "u", password: "p", serveraddress: "registry.example.com" },
      },
    ]);
  });

  it.for([
    ["no image", { command: "true" }, "Failed", /has no image/],
    ["an image that no registry has", { image: "no:1", command: "true" }, "Crashed", /manifest for no:1 not found/],
    ["an image that may not be pulled", { image: "no:1", image_pull_policy: "Never" }, "Failed", /policy is Never/],
    ["a size that is none", { image: "app:1", mem_limit: "much" }, "Failed", /"mem_limit" is "much"/],
    ["no CPUs at all", { image: "app:1", cpus: 0 }, "Failed", /"cpus" is 0/],
    ["a command that fails", { image: "app:1", command: "sh -c 'exit 4'" }, "Failed", /ended with code 4/],
  ] as const)("says what is wrong with %s", async ([, variables, name, message], { expect }) => {
    const run = await plane.ends((await trigger(null, variables)).id);
    expect(run.state_name).toBe(name);
    expect(run.state?.message).toMatch(message);
  });

  it("works in the folder that the deployment names, and takes no code along", async ({ expect }) => {
    const job_variables = { image: "app:1", command: "pwd" };
    const steps = (step: JsonObject) => plane.deploy(null, pool, { job_variables, pull_steps: [step] });
    const placed = await plane.trigger(
      await steps({ "prefect.deployments.steps.set_working_directory": { directory: "/" } }),
    );
    expect((await plane.ends(placed.id)).state_name).toBe("Completed");
    expect((await plane.logs(placed.id)).map(({ message }) => message)).toEqual(["/"]);
    const cloned = await plane.ends((await plane.trigger(await steps({ git_clone: { repository: "x" } }))).id);
    expect(cloned.state?.message).toMatch(/"git_clone" cannot be done for a container/);
  });

  it("says that memory ran out", async ({ expect }) => {
    daemon.images.add("hungry:1");
    daemon.hungry.add("hungry:1");
    const { id } = await trigger(null, { image: "hungry:1", command: "sh -c 'exit 137'" });
    const run = await plane.ends(id);
    expect(run.state_name).toBe("Crashed");
    expect(run.state?.message).toMatch(/ran out of memory; the job variable mem_limit/);
  });

  it("stops the container of a run that is cancelled, with the grace period", async ({ expect }) => {
    const { id } = await trigger(null, {
      image: "app:1",
      command: "sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'",
    });
    await plane.reaches(id, "RUNNING");
    await eventually("the container runs", () => daemon.containers[0]?.process);
    await sluice(["flow-run", "cancel", id], { env: { SLUICE_API_URL: server.apiUrl } });
    expect((await plane.ends(id)).state_name).toBe("Cancelled");
    expect(daemon.containers[0]?.stops[0]).toBe(1);
  });
});
