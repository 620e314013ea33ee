/** Jobs of type ecs against a small service that refuses what the published model does not allow. */
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import type { JsonObject } from "../../../sdk/protocol/flow-runs.ts";
import type { FlowRunId } from "../../../sdk/protocol/ids.ts";
import type { RunTicket } from "../../../sdk/protocol/worker-channel.ts";
import { ecsInfrastructure } from "../../../sdk/runner/ecs/ecs-infrastructure.ts";
import type { Infrastructure, RunningJob } from "../../../sdk/runner/infrastructure.ts";
import { configureJob } from "../../../sdk/runner/template/job-configuration.ts";
import { ecsTemplate } from "../../../worker/collections/ecs-template.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeEcs, type FakeTask } from "../../support/fake-ecs.ts";

const client = createClient({ url: "http://127.0.0.1:9/api", key: null });
let ecs: FakeEcs;
let infrastructure: Infrastructure;
let lines: string[];

beforeEach(async () => {
  ecs = await FakeEcs.start();
  vi.stubEnv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", ecs.url);
  vi.stubEnv("AWS_ENDPOINT_URL_EC2", ecs.url);
  infrastructure = await ecsInfrastructure();
  lines = [];
});
afterEach(async ({ expect }) => {
  vi.unstubAllEnvs();
  await ecs[Symbol.asyncDispose]();
  expect(ecs.refused).toEqual([]);
});

const ticket: RunTicket = {
  flow_run_id: "01a1fcd3-d6d8-7000-8002-765f2ce24811" as FlowRunId,
  name: "silent-elm!",
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

async function start(variables: JsonObject, given: Partial<RunTicket> = {}, template = json(ecsTemplate)) {
  const own = { ...ticket, ...given };
  const usual = {
    command: "work",
    image: "app:1",
    network_configuration: { subnets: ["subnet-1"], securityGroups: ["sg-1"], assignPublicIp: "ENABLED" },
    aws_credentials: ecs.credentials,
    task_watch_poll_interval: 0.05,
  };
  const configuration = await configureJob({ template, variables: json({ ...usual, ...variables }), client, env: {} });
  const onLine = (line: string): void => void lines.push(line);
  const ending = new AbortController().signal;
  const prepared = await infrastructure.prepare(own, configuration, { client, ending, onLine });
  const assignment = {
    apiUrl: "https://sluice.example.com/api",
    apiKey: "the-token-of-the-run",
    flowRunId: own.flow_run_id,
    generation: own.generation,
    entrypoint: own.entrypoint,
  };
  const job = prepared.start(assignment, { env: { SLUICE_PARAMETERS: "{}" }, onLine: () => undefined });
  job.ended.catch(() => undefined);
  return job;
}

async function started(variables: JsonObject, given: Partial<RunTicket> = {}): Promise<[RunningJob, FakeTask]> {
  const before = ecs.tasks.length;
  const run = await start(variables, given);
  return [run, await eventually("a task is made", () => ecs.tasks[before])];
}

function json(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

describe("a job of type ecs", { timeout: 20_000 }, () => {
  it("is a task with what the variables say of it, and ends with its container", async ({ expect }) => {
    const [run, task] = await started({
      command: "sh -c 'echo hi'",
      env: { GREETING: "hello" },
      labels: { team: "data & more", "aws:no": "reserved" },
      cluster: "flows",
      family: "my flows",
      cpu: 512,
      memory: 1024,
      container_name: "main",
      task_role_arn: "arn:role/task",
      execution_role_arn: "arn:role/execution",
    });
    expect(task.definition).toMatchObject({
      family: "my-flows",
      cpu: "512",
      memory: "1024",
      executionRoleArn: "arn:role/execution",
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      containerDefinitions: [{ name: "main", image: "app:1", essential: true }],
    });
    const { request } = task;
    expect(request).toMatchObject({
      cluster: "flows",
      launchType: "FARGATE",
      count: 1,
      startedBy: `sluice/${ticket.flow_run_id}`,
      networkConfiguration: {
        awsvpcConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"], assignPublicIp: "ENABLED" },
      },
      overrides: { cpu: "512", memory: "1024", taskRoleArn: "arn:role/task" },
    });
    expect(request.tags).toContainEqual({ key: "team", value: "data - more" });
    expect(request.tags).toContainEqual({ key: "sluice.flow-run-name", value: "silent-elm-" });
    expect(request.tags.map(({ key }) => key)).not.toContain("aws:no");
    const [override] = request.overrides.containerOverrides;
    expect(override).toMatchObject({ name: "main", command: ["sh", "-c", "echo hi"], cpu: 512, memory: 1024 });
    const env = Object.fromEntries((override?.environment ?? []).map(({ name, value }) => [name, value]));
    expect(env).toMatchObject({
      GREETING: "hello",
      SLUICE_API_URL: "https://sluice.example.com/api",
      SLUICE_API_KEY: "the-token-of-the-run",
      PREFECT_API_KEY: "the-token-of-the-run",
      PREFECT__FLOW_RUN_ID: ticket.flow_run_id,
      SLUICE_GENERATION: "2",
      SLUICE_PARAMETERS: "{}",
    });
    ecs.runs(task);
    ecs.exits(task, 0);
    expect(await run.ended).toMatchObject({ code: 0, reason: null, reported: false });
    expect(ecs.calls).not.toContain("DeregisterTaskDefinition");
  });

  it("runs the Sluice of its image where there is no command", async ({ expect }) => {
    const [run, task] = await started({ command: null }, { entrypoint: "flow.ts:main" });
    expect(task.request.overrides.containerOverrides[0]?.command).toEqual(["sluice", "flow-run", "execute"]);
    ecs.exits(task, 0);
    await run.ended;
  });

  it.for([
    [
      { launch_type: "FARGATE_SPOT" },
      { capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1, base: 0 }] },
    ],
    [
      { capacity_provider_strategy: [{ capacityProvider: "mine", weight: 2, base: 1 }] },
      { capacityProviderStrategy: [{ capacityProvider: "mine", weight: 2, base: 1 }] },
    ],
    [{ launch_type: "EC2" }, { launchType: "EC2" }],
  ] as const)("takes a launch type or a strategy: %j", async ([variables, expected], { expect }) => {
    const [run, task] = await started(json(variables));
    expect(task.request).toMatchObject(expected);
    ecs.exits(task, 0);
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  it("has the subnets of its VPC, or of the default one, where no network is given", async ({ expect }) => {
    ecs.subnets.set("vpc-2", ["subnet-c"]);
    for (const [vpc_id, subnets] of [
      [null, ["subnet-a", "subnet-b"]],
      ["vpc-2", ["subnet-c"]],
      [null, ["subnet-a", "subnet-b"]],
    ] as const) {
      const [run, task] = await started({ network_configuration: null, vpc_id });
      const awsvpcConfiguration = { subnets, assignPublicIp: "ENABLED" };
      expect(task.request.networkConfiguration).toEqual({ awsvpcConfiguration });
      ecs.exits(task, 0);
      await run.ended;
    }
    expect(ecs.calls.filter((name) => name.startsWith("DescribeSubnets"))).toHaveLength(2);
  });

  it("says what keeps it from having a network", async ({ expect }) => {
    const ended = async (more: JsonObject) => await (await start({ network_configuration: null, ...more })).ended;
    await expect(ended({ vpc_id: "vpc-9" })).rejects.toThrow(/The VPC vpc-9 has no subnets in eu-west-1/);
    ecs.hasDefaultVpc = false;
    await expect(ended({})).rejects.toThrow(/no default VPC in eu-west-1\. Give the job variable vpc_id/);
    ecs.forbidden.add("DescribeVpcs");
    await expect(ended({})).rejects.toThrow(/could not be read \(DescribeVpcs\): You are not authorized\. Give/);
  });

  it("registers a task definition once for runs that are alike", async ({ expect }) => {
    for (const command of ["one", "two"]) {
      const [run, task] = await started({ command });
      ecs.exits(task, 0);
      await run.ended;
    }
    expect(ecs.definitions.size).toBe(1);
    const [run, task] = await started({ image: "app:2" });
    ecs.exits(task, 0);
    await run.ended;
    expect(ecs.definitions.size).toBe(2);
  });

  it("takes the newest revision of the family where it is the same, and only there", async ({ expect }) => {
    const asked = { match_latest_revision_in_family: true, family: "shared" };
    for (const [image, revisions] of [
      ["app:1", 1],
      ["app:1", 1],
      ["app:2", 2],
      ["app:1", 3],
    ] as const) {
      // A worker that was started anew remembers nothing.
      infrastructure = await ecsInfrastructure();
      const [run, task] = await started({ ...asked, image });
      expect(ecs.definitions.size).toBe(revisions);
      expect(task.definition.containerDefinitions[0]?.image).toBe(image);
      ecs.exits(task, 0);
      await run.ended;
    }
  });

  it("deregisters the task definition of a run where that is asked for", async ({ expect }) => {
    const [run, task] = await started({ auto_deregister_task_definition: true });
    ecs.exits(task, 0);
    await run.ended;
    expect([...ecs.definitions.values()].map(({ status }) => status)).toEqual(["INACTIVE"]);
  });

  it("uses a task definition that is there, with its own container", async ({ expect }) => {
    const arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/theirs:7";
    const containerDefinitions = [
      { name: "sidecar", image: "proxy:1" },
      { name: "prefect", image: "theirs:1" },
    ];
    ecs.definitions.set(arn, { family: "theirs", containerDefinitions, networkMode: "awsvpc", status: "ACTIVE" });
    const [run, task] = await started({ task_definition_arn: arn, image: null });
    expect(task.request).toMatchObject({
      taskDefinition: arn,
      overrides: { containerOverrides: [{ name: "prefect" }] },
    });
    expect(ecs.calls).not.toContain("RegisterTaskDefinition");
    ecs.exits(task, 0);
    await run.ended;
  });

  it("registers anew what somebody deregistered", async ({ expect }) => {
    const [first, task] = await started({});
    ecs.exits(task, 0);
    await first.ended;
    for (const definition of ecs.definitions.values()) definition.status = "INACTIVE";
    await expect((await start({})).ended).rejects.toThrow(/inactive/);
    const [again, other] = await started({});
    ecs.exits(other, 0);
    expect(await again.ended).toMatchObject({ code: 0 });
  });

  it("has its output read from CloudWatch", async ({ expect }) => {
    const roles = { execution_role_arn: "arn:role/execution", cloudwatch_logs_options: { "awslogs-group": "flows" } };
    const [run, task] = await started({ stream_output: true, cloudwatch_logs_prefix: "etl", ...roles });
    expect(task.definition.containerDefinitions[0]).toMatchObject({
      logConfiguration: {
        logDriver: "awslogs",
        options: {
          "awslogs-create-group": "true",
          "awslogs-group": "flows",
          "awslogs-region": "eu-west-1",
          "awslogs-stream-prefix": "etl",
        },
      },
    });
    ecs.runs(task);
    const written = ["one"];
    ecs.logs.set(`flows etl/sluice/${task.id}`, written);
    await eventually("it is read", () => lines.length === 1);
    ecs.exits(task, 0);
    // CloudWatch has the last lines a moment later.
    written.push("two", "three");
    await run.ended;
    expect(lines).toEqual(["one", "two", "three"]);
  });

  it.for([
    [
      "memory ran out",
      { stopCode: "EssentialContainerExited" },
      { exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" },
      137,
      /ran out of memory; the job variable memory/,
    ],
    [
      "its image cannot be pulled",
      { stopCode: "TaskFailedToStart", stoppedReason: "CannotPullContainerError: pull access denied for app" },
      {},
      null,
      /image could not be pulled\. .*execution_role_arn.*AWS says: CannotPullContainerError: pull access denied/,
    ],
    [
      "it could not be set up",
      { stopCode: "TaskFailedToStart", stoppedReason: "ResourceInitializationError: unable to pull secrets" },
      {},
      null,
      /could not be set up/,
    ],
    [
      "its command is not there",
      { stopCode: "TaskFailedToStart", stoppedReason: "Task failed to start" },
      { reason: 'CannotStartContainerError: exec: "work": not found' },
      null,
      /could not be started.*"work": not found/,
    ],
    [
      "its spot capacity is gone",
      { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." },
      { exitCode: 143 },
      143,
      /Spot/,
    ],
    [
      "somebody stopped it",
      { stopCode: "UserInitiated", stoppedReason: "by hand" },
      { exitCode: 143 },
      143,
      /stopped in AWS, and not by its worker\. AWS says: by hand/,
    ],
    ["it failed by itself", {}, { exitCode: 3 }, 3, null],
  ] as const)("tells that %s", async ([, status, container, code, reason], { expect }) => {
    const [run, task] = await started({});
    ecs.exits(task, null, status, container);
    const end = await run.ended;
    expect(end.code).toBe(code);
    if (reason === null) expect(end.reason).toBeNull();
    else expect(end.reason).toMatch(reason);
  });

  it.for([
    ["RESOURCE:MEMORY", /no room for the run's task\. .*AWS says: RESOURCE:MEMORY/],
    ["Capacity is unavailable at this time. Please try again later", /no room for the run's task/],
    ["AGENT", /made no task for the run\. AWS says: AGENT/],
  ] as const)("tells that no task was made because of %s", async ([reason, message], { expect }) => {
    ecs.failure = { reason };
    await expect((await start({})).ended).rejects.toThrow(message);
  });

  it("gives up a task that does not start in time", async ({ expect }) => {
    const [run, task] = await started({ task_start_timeout_seconds: 0.2 });
    task.status = { lastStatus: "PENDING" };
    expect((await run.ended).reason).toMatch(/did not start within 0\.2 s.* it was PENDING/);
    expect(task.stops).toHaveLength(1);
  });

  it("stops its task when the run is to end", async ({ expect }) => {
    const [run, task] = await started({});
    ecs.runs(task);
    run.terminate(1_000);
    expect(await run.ended).toMatchObject({ code: 143, reason: null });
    expect(task.stops).toEqual(["The run was ended."]);
  });

  it("stops a task that was told to end before it was made", async ({ expect }) => {
    const run = await start({});
    run.terminate(1_000);
    await run.ended;
    expect(ecs.tasks[0]?.stops).toHaveLength(1);
  });

  it("goes on when ECS does not answer for a while, and says so once", async ({ expect }) => {
    const [run, task] = await started({});
    ecs.runs(task);
    ecs.isDown = true;
    await eventually("it is told", () => lines.length > 0, { withinMs: 20_000 });
    ecs.exits(task, 0);
    ecs.isDown = false;
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(lines).toEqual([expect.stringMatching(/ECS did not answer.*The run goes on/)]);
  });

  it("is over when ECS does not know its task any more", async ({ expect }) => {
    const [run] = await started({});
    ecs.tasks.splice(0);
    expect((await run.ended).reason).toMatch(/does not know the run's task/);
  });

  it.for([
    ["RegisterTaskDefinition", /does not let the worker start the run: .*RegisterTaskDefinition.* docs\/workers\.md/],
    ["RunTask", /does not let the worker start the run/],
    ["DescribeTasks", /may not follow the run's task/],
  ] as const)("says that the worker's account may not %s", async ([operation, message], { expect }) => {
    ecs.forbidden.add(operation);
    await expect((await start({})).ended).rejects.toThrow(message);
    expect(ecs.tasks.every(({ stops }) => stops.length === 1)).toBe(true);
  });

  it.for([
    ["an image", { image: null }, {}, /has no image/],
    ["a role for its output", { stream_output: true }, {}, /execution_role_arn/],
    [
      "code that is in the image",
      {},
      { pull_steps: [{ git_clone: { repository: "x" } }] },
      /"git_clone" cannot be done for a container/,
    ],
    ["an environment that ECS takes", { env: { LONG: "x".repeat(9_000) } }, {}, /ECS refuses the run's task: .*8192/],
  ] as const)("needs %s", async ([, variables, given, message], { expect }) => {
    const failed = async () => await (await start(json(variables), given as Partial<RunTicket>)).ended;
    await expect(failed()).rejects.toThrow(message);
  });

  it("needs a region", async ({ expect }) => {
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"]) vi.stubEnv(name, "");
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere");
    const { region_name: _, ...credentials } = ecs.credentials;
    await expect(start({ aws_credentials: json(credentials) })).rejects.toThrow(/knows no AWS region/);
  });
});
