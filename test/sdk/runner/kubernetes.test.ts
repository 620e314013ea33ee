/** Jobs of type kubernetes against a small API that refuses what the published one does not allow. */
import { afterEach, beforeEach, describe, it } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import type { JsonObject } from "../../../sdk/protocol/flow-runs.ts";
import type { FlowRunId } from "../../../sdk/protocol/ids.ts";
import type { RunTicket } from "../../../sdk/protocol/worker-channel.ts";
import type { Infrastructure, RunningJob } from "../../../sdk/runner/infrastructure.ts";
import { kubernetesInfrastructure } from "../../../sdk/runner/kubernetes/kubernetes-infrastructure.ts";
import { configureJob } from "../../../sdk/runner/template/job-configuration.ts";
import { kubernetesTemplate } from "../../../worker/collections/kubernetes-template.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeCluster, type FakeObject } from "../../support/fake-cluster.ts";

const client = createClient({ url: "http://127.0.0.1:9/api", key: null });
let cluster: FakeCluster;
let infrastructure: Infrastructure;
let lines: string[];

beforeEach(async () => {
  cluster = await FakeCluster.start();
  infrastructure = await kubernetesInfrastructure();
  lines = [];
});
afterEach(async ({ expect }) => {
  await cluster[Symbol.asyncDispose]();
  expect(cluster.refused).toEqual([]);
});

const ticket: RunTicket = {
  flow_run_id: "01a1fcd3-d6d8-7000-8002-765f2ce24811" as FlowRunId,
  name: "Silent Elm!",
  generation: 2,
  lease_ms: 30_000,
  deployment_id: null,
  entrypoint: null,
  path: null,
  pull_steps: null,
  job_variables: {},
  work_queue_name: null,
  run_token: null,
};

async function start(
  variables: JsonObject,
  given: Partial<RunTicket> = {},
  template: JsonObject = json(kubernetesTemplate),
) {
  const own = { ...ticket, ...given };
  const configuration = await configureJob({
    template,
    variables: {
      namespace: "flows",
      command: "work",
      image: "app:1",
      cluster_config: json(cluster.config),
      ...variables,
    },
    client,
    env: {},
  });
  const onLine = (line: string): void => void lines.push(line);
  const prepared = await infrastructure.prepare(own, configuration, {
    client,
    ending: new AbortController().signal,
    onLine,
  });
  const assignment = {
    apiUrl: "https://sluice.example.com/api",
    apiKey: "the-token-of-the-run",
    flowRunId: own.flow_run_id,
    generation: own.generation,
    entrypoint: own.entrypoint,
  };
  const job = prepared.start(assignment, { env: { SLUICE_PARAMETERS: "{}" }, onLine: () => undefined });
  // Whoever looks at the end sees a rejection.
  job.ended.catch(() => undefined);
  return job;
}

async function started(variables: JsonObject, given: Partial<RunTicket> = {}): Promise<[RunningJob, FakeObject]> {
  const run = await start(variables, given);
  return [run, await eventually("a Job is made", () => cluster.all("Job")[0])];
}

function json(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

describe("a job of type kubernetes", { timeout: 20_000 }, () => {
  it("is a Job with what the variables say of it, and ends with its container", async ({ expect }) => {
    const [run, job] = await started({
      command: "sh -c 'echo hi'",
      env: { GREETING: "hello" },
      labels: { team: "data & more", "example.com/cost centre": "-7-" },
      cpu_request: "250m",
      memory_limit: "512Mi",
      service_account_name: "runner",
      image_pull_policy: "Always",
      image_pull_secrets: ["registry"],
      finished_job_ttl: 60,
    });
    expect(job.metadata.name).toMatch(/^silent-elm-2-[0-9a-f]{8}$/);
    expect(job.metadata.labels).toMatchObject({
      team: "data-more",
      "example.com/cost-centre": "7",
      "sluice.flow-run-id": ticket.flow_run_id,
      "sluice.flow-run-name": "Silent-Elm",
    });
    expect(job.spec).toMatchObject({ backoffLimit: 0, ttlSecondsAfterFinished: 60, parallelism: 1, completions: 1 });
    expect(job.spec.template.spec).toMatchObject({
      serviceAccountName: "runner",
      imagePullSecrets: [{ name: "registry" }],
      restartPolicy: "Never",
      containers: [
        {
          name: "prefect-job",
          image: "app:1",
          args: ["sh", "-c", "echo hi"],
          imagePullPolicy: "Always",
          resources: { limits: { memory: "512Mi" }, requests: { cpu: "250m" } },
        },
      ],
    });
    cluster.container(job, { running: {} });
    cluster.writes(job, "hi");
    cluster.exits(job, 0);
    expect(await run.ended).toMatchObject({ code: 0, reason: null, reported: false });
    expect(lines).toEqual(["hi"]);
    // Finished Jobs are the cluster's to clear away.
    expect(cluster.all("Job")).toHaveLength(1);
  });

  it("has its environment, and the run's token by a Secret that goes with it", async ({ expect }) => {
    const [run, job] = await started({ env: { GREETING: "hello", SLUICE_API_KEY: "mine" } });
    const [container] = job.spec.template.spec.containers;
    const plain = Object.fromEntries(
      (container?.env ?? []).filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value]),
    );
    expect(plain).toMatchObject({
      GREETING: "hello",
      SLUICE_API_URL: "https://sluice.example.com/api",
      PREFECT_API_URL: "https://sluice.example.com/api",
      SLUICE_FLOW_RUN_ID: ticket.flow_run_id,
      PREFECT__FLOW_RUN_ID: ticket.flow_run_id,
      SLUICE_GENERATION: "2",
      SLUICE_PARAMETERS: "{}",
    });
    const { name } = job.metadata;
    for (const key of ["SLUICE_API_KEY", "PREFECT_API_KEY"]) {
      expect(container?.env.filter((one) => one.name === key)).toEqual([
        { name: key, valueFrom: { secretKeyRef: { name, key: "api-key" } } },
      ]);
    }
    expect(JSON.stringify(job)).not.toContain("the-token-of-the-run");
    const [secret] = cluster.all("Secret");
    expect(secret).toMatchObject({ metadata: { name }, stringData: { "api-key": "the-token-of-the-run" } });
    await eventually("the Job owns it", () => secret?.metadata.ownerReferences);
    expect(secret?.metadata.ownerReferences).toEqual([
      { apiVersion: "batch/v1", kind: "Job", name, uid: job.metadata.uid },
    ]);
    cluster.exits(job, 0);
    await run.ended;
    expect(cluster.all("Secret")).toEqual([]);
  });

  it("keeps what the template's own manifest says", async ({ expect }) => {
    const template = {
      job_configuration: {
        namespace: "flows",
        command: "{{ command }}",
        cluster_config: "{{ cluster_config }}",
        job_manifest: {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { annotations: { why: "{{ why }}" } },
          spec: {
            activeDeadlineSeconds: 600,
            template: {
              spec: {
                restartPolicy: "Never",
                nodeSelector: { pool: "big" },
                containers: [
                  {
                    name: "main",
                    image: "{{ image }}",
                    env: [
                      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
                      { name: "SLUICE_API_URL", value: "elsewhere" },
                    ],
                  },
                  { name: "sidecar", image: "proxy:1" },
                ],
              },
            },
          },
        },
      },
    };
    const run = await start({ why: "because" }, {}, template);
    const job = await eventually("a Job is made", () => cluster.all("Job")[0]);
    expect(job.metadata).toMatchObject({ annotations: { why: "because" } });
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 600, backoffLimit: 0 });
    const { containers, ...pod } = job.spec.template.spec;
    expect(pod).toMatchObject({ nodeSelector: { pool: "big" } });
    expect(containers.map(({ name }) => name)).toEqual(["main", "sidecar"]);
    expect(containers[0]?.env[0]).toEqual({
      name: "PASSWORD",
      valueFrom: { secretKeyRef: { name: "db", key: "password" } },
    });
    expect(containers[0]?.env.filter(({ name }) => name === "SLUICE_API_URL")).toEqual([
      { name: "SLUICE_API_URL", value: "https://sluice.example.com/api" },
    ]);
    run.kill();
    await run.ended;
  });

  it("runs the Sluice of its image where there is no command", async ({ expect }) => {
    const steps = [{ "prefect.deployments.steps.set_working_directory": { directory: "/app" } }];
    const [run, job] = await started({ command: null }, { entrypoint: "flow.ts:main", pull_steps: steps });
    expect(job.spec.template.spec.containers[0]).toMatchObject({
      args: ["sluice", "flow-run", "execute"],
      workingDir: "/app",
    });
    run.kill();
    await run.ended;
  });

  it.for([
    [
      "an image that cannot be pulled",
      { waiting: { reason: "ImagePullBackOff", message: "Back-off pulling" } },
      /app:1 could not be pulled \(ImagePullBackOff\): Back-off pulling\. Look at its name/,
    ],
    [
      "a name that is no image's",
      { waiting: { reason: "InvalidImageName" } },
      /could not be pulled \(InvalidImageName\)/,
    ],
    [
      "a Secret that is not there",
      { waiting: { reason: "CreateContainerConfigError", message: 'secret "db" not found' } },
      /could not be made \(CreateContainerConfigError\): secret "db" not found/,
    ],
  ] as const)("gives up %s, says why, and leaves nothing behind", async ([, state, reason], { expect }) => {
    const [run, job] = await started({ pod_watch_timeout_seconds: 0.2 });
    cluster.container(job, state, { phase: "Pending" });
    expect(await run.ended).toMatchObject({ code: null, reason: expect.stringMatching(reason) });
    for (const kind of ["Job", "Pod", "Secret"] as const) expect(cluster.all(kind)).toEqual([]);
  });

  it("waits for a pod that starts after trouble", async ({ expect }) => {
    const [run, job] = await started({ pod_watch_timeout_seconds: 1 });
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable" };
    cluster.pod(job, { phase: "Pending", conditions: [condition] });
    cluster.container(job, { waiting: { reason: "ContainerCreating" } }, { phase: "Pending" });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    cluster.container(job, { running: {} });
    cluster.exits(job, 0);
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  it.for([
    [
      "no node takes",
      {
        phase: "Pending",
        conditions: [
          { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available" },
        ],
      },
      /No node of the cluster takes the run's pod \(Unschedulable: 0\/3 nodes are available\)\. Ask for less/,
    ],
    ["is not made", null, /No pod was made/],
  ] as const)("gives up a pod that %s", async ([, status, reason], { expect }) => {
    cluster.makesPods = status !== null;
    const [run, job] = await started({ pod_watch_timeout_seconds: 0.2 });
    if (status !== null) cluster.pod(job, { ...status });
    expect((await run.ended).reason).toMatch(reason);
    expect(cluster.all("Job")).toEqual([]);
  });

  it.for([
    [
      "memory ran out",
      { exitCode: 137, reason: "OOMKilled" },
      {},
      137,
      /ran out of memory \(OOMKilled\); the job variable memory_limit/,
    ],
    [
      "its program is not there",
      { exitCode: 128, reason: "StartError", message: 'exec: "work": not found' },
      {},
      128,
      /could not be started: exec: "work": not found\. Look at the job variable "command"/,
    ],
    [
      "its node was drained",
      { exitCode: 137, reason: "Error" },
      { conditions: [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }] },
      137,
      /taken from its node \(EvictionByEvictionAPI\)/,
    ],
    ["it failed by itself", { exitCode: 3, reason: "Error" }, {}, 3, null],
  ] as const)("tells that %s", async ([, terminated, status, code, reason], { expect }) => {
    const [run, job] = await started({});
    cluster.container(job, { running: {} });
    // The Job is told of first: the two watches are not in step.
    cluster.ends(job, "Failed", { reason: "BackoffLimitExceeded" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    cluster.container(job, { terminated }, { phase: "Failed", ...status });
    const end = await run.ended;
    expect(end.code).toBe(code);
    if (reason === null) expect(end.reason).toBeNull();
    else expect(end.reason).toMatch(reason);
  });

  it.for([
    [
      "evicted",
      { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." },
      /evicted from its node: The node was low on resource: memory\. The job variables memory_request/,
    ],
    [
      "failed by its init container",
      { phase: "Failed", initContainerStatuses: [{ name: "prepare", state: { terminated: { exitCode: 5 } } }] },
      /init container "prepare" ended with code 5/,
    ],
  ] as const)("tells that its pod was %s", async ([, status, reason], { expect }) => {
    const [run, job] = await started({ stream_output: false }, { entrypoint: "flow.ts:main" });
    cluster.pod(job, { ...status });
    cluster.ends(job, "Failed", { reason: "BackoffLimitExceeded" });
    expect((await run.ended).reason).toMatch(reason);
  });

  it("tells that somebody deleted its Job", async ({ expect }) => {
    const [run, job] = await started({});
    cluster.container(job, { running: {} });
    await eventually("it is watched", () => cluster.watches === 2);
    cluster.deletes(job);
    for (const pod of cluster.all("Pod")) cluster.deletes(pod);
    expect((await run.ended).reason).toMatch(/was deleted in the cluster, and not by its worker/);
  });

  it("goes on when its watches and its log break, and misses and repeats nothing", async ({ expect }) => {
    const [run, job] = await started({});
    cluster.container(job, { running: {} });
    cluster.writes(job, "one", "2026-11-21T10:00:00.1Z");
    await eventually("it is read", () => lines.length === 1);
    cluster.breakStreams();
    cluster.writes(job, "two", "2026-11-21T10:00:00.12Z");
    await eventually("it is read", () => lines.length === 2);
    cluster.isDown = true;
    cluster.breakStreams();
    cluster.writes(job, "three", "2026-11-21T10:00:01Z");
    cluster.exits(job, 0);
    await eventually("it is told", () => lines.find((line) => line.includes("did not answer")));
    cluster.isDown = false;
    expect(await run.ended).toMatchObject({ code: 0 });
    const told = lines.filter((line) => !line.includes("did not answer"));
    expect(told).toEqual(["one", "two", "three"]);
    expect(lines.length - told.length, "the API's absence is told once").toBe(1);
  });

  it("is started once the API answers", async ({ expect }) => {
    cluster.isDown = true;
    const run = await start({});
    await new Promise((resolve) => setTimeout(resolve, 150));
    cluster.isDown = false;
    const job = await eventually("a Job is made", () => cluster.all("Job")[0]);
    cluster.exits(job, 0);
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  it("ends its Job with the grace that it has, and at once when it is killed", async ({ expect }) => {
    cluster.isStubborn = true;
    const [run, job] = await started({});
    cluster.container(job, { running: {} });
    run.terminate(7_000);
    await eventually("the pod is told", () =>
      cluster.deletions.find(({ options }) => options["gracePeriodSeconds"] === 7),
    );
    expect(cluster.deletions[0]).toMatchObject({ options: { propagationPolicy: "Background" } });
    expect(cluster.all("Pod")).toHaveLength(1);
    run.kill();
    expect(await run.ended).toMatchObject({ code: 143, reason: null });
    for (const kind of ["Job", "Pod", "Secret"] as const) expect(cluster.all(kind)).toEqual([]);
  });

  it("is over a while after it was killed, whether or not the API answers", async ({ expect }) => {
    const [run, job] = await started({});
    cluster.container(job, { running: {} });
    cluster.isDown = true;
    run.kill();
    expect((await run.ended).reason).toMatch(
      /did not end in time\. Look for them with: kubectl get pods -n flows -l sluice\.job=/,
    );
  });

  it("ends a Job that was told to end before it was made", async ({ expect }) => {
    const run = await start({});
    run.kill();
    await run.ended;
    expect(cluster.all("Job")).toEqual([]);
  });

  it("ends Jobs of older claims of the run, and no others", async () => {
    const [first, old] = await started({}, { generation: 1 });
    const [other] = await started(
      {},
      { flow_run_id: "01a1fcd3-d6d8-7000-8002-765f2ce24822" as FlowRunId, generation: 1 },
    );
    const second = await start({});
    await eventually("the old one is gone", () => !cluster.all("Job").includes(old));
    await eventually("the new one is there", () => cluster.all("Job").length === 2);
    for (const run of [first, other, second]) run.kill();
    await Promise.all([first.ended, other.ended, second.ended]);
  });

  it("ends a Job that takes too long", async ({ expect }) => {
    const [run, job] = await started({ job_watch_timeout_seconds: 0.3 });
    cluster.container(job, { running: {} });
    expect((await run.ended).reason).toMatch(/did not end within 0\.3 s/);
    expect(cluster.all("Job")).toEqual([]);
  });

  it.for([
    ["make Secrets", "POST Secret", /does not let the worker start the run: secrets is forbidden.* docs\/workers\.md/],
    ["make Jobs", "POST Job", /does not let the worker start the run: jobs is forbidden/],
    ["see pods", "GET Pod", /may not follow the run's Job: pods is forbidden/],
  ] as const)("says that the worker's account may not %s", async ([, what, message], { expect }) => {
    cluster.forbidden.add(what);
    const run = await start({});
    await expect(run.ended).rejects.toThrow(message);
    for (const kind of ["Job", "Secret"] as const) expect(cluster.all(kind)).toEqual([]);
  });

  it.for([
    ["an image", { image: null }, {}, /has no image/],
    [
      "code that is in the image",
      {},
      { pull_steps: [{ git_clone: { repository: "x" } }] },
      /"git_clone" cannot be done for a container/,
    ],
    ["a namespace that is there", { namespace: "nowhere" }, {}, /The cluster refuses the run's Job: .*not found/],
    [
      "a context that is there",
      { cluster_config: { config: { contexts: [] }, context_name: "x" } },
      {},
      /no cluster for its context "x"/,
    ],
    ["quotes that are closed", { command: "sh -c 'oh" }, {}, /not closed/],
  ] as const)("needs %s", async ([, variables, given, message], { expect }) => {
    const failed = async () => await (await start(json(variables), given as Partial<RunTicket>)).ended;
    await expect(failed()).rejects.toThrow(message);
  });

  it("needs an address of the API that its pod reaches", async ({ expect }) => {
    const prepared = await infrastructure.prepare(
      { ...ticket, entrypoint: "flow.ts:main" },
      { image: "app:1", namespace: "flows", cluster_config: cluster.config },
      { client, ending: new AbortController().signal, onLine: () => undefined },
    );
    const assignment = {
      apiUrl: "http://127.0.0.1:4200/api",
      apiKey: null,
      flowRunId: ticket.flow_run_id,
      generation: 2,
      entrypoint: "flow.ts:main",
    };
    const run = prepared.start(assignment, { env: {}, onLine: () => undefined });
    await expect(run.ended).rejects.toThrow(/nobody reaches from another machine.*set SLUICE_API_URL/);
  });

  it("is refused by the name of a field that Kubernetes does not have", async ({ expect }) => {
    const template = json(kubernetesTemplate);
    const manifest = template["job_configuration"] as { job_manifest: { spec: Record<string, unknown> } };
    manifest.job_manifest.spec["backofLimit"] = 1;
    const run = await start({}, {}, template);
    await expect(run.ended).rejects.toThrow(/The cluster refuses the run's Job: .*backofLimit/);
    expect(cluster.refused.splice(0)).toHaveLength(1);
    expect(cluster.all("Secret")).toEqual([]);
  });
});
