/**
 * A small Amazon ECS, with the parts of CloudWatch Logs and EC2 that workers read, on loopback. It refuses whatever the service
 * model does not allow in the requests that workers make (`ecs-schema.json`), signatures that do not fit, and what the
 * service refuses beyond its model; and lets tests say what becomes of the tasks.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Schema, Validator } from "@cfworker/json-schema";
import { AwsV4Signer } from "aws4fetch";
import schema from "./ecs-schema.json" with { type: "json" };

export interface FakeDefinition extends Record<string, unknown> {
  readonly family: string;
  readonly containerDefinitions: readonly (Record<string, unknown> & {
    readonly name: string;
    readonly image: string;
  })[];
  readonly networkMode?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly requiresCompatibilities?: readonly string[];
}

export interface FakeRequest extends Record<string, unknown> {
  readonly taskDefinition: string;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly unknown[];
  readonly networkConfiguration?: unknown;
  readonly cluster?: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly overrides: Record<string, unknown> & {
    readonly containerOverrides: readonly (Record<string, unknown> & {
      readonly name: string;
      readonly command: readonly string[];
      readonly environment: readonly { readonly name: string; readonly value: string }[];
    })[];
  };
}

export interface FakeTask {
  readonly taskArn: string;
  readonly id: string;
  readonly definition: FakeDefinition;
  readonly request: FakeRequest;
  status: Record<string, unknown>;
  /** Reasons that it was told to stop with. */
  readonly stops: string[];
}

const KEYS = {
  accessKeyId: "AKIDTESTS",
  secretAccessKey: "a-secret-of-tests",
  region: "eu-west-1",
};
const ACCOUNT = "arn:aws:ecs:eu-west-1:123456789012";

export class FakeEcs implements AsyncDisposable {
  readonly refused: string[] = [];
  readonly tasks: FakeTask[] = [];
  readonly definitions = new Map<string, FakeDefinition & { status: string }>();
  /** Names of operations, in their order. */
  readonly calls: string[] = [];
  /** What the worker's account may not do. */
  readonly forbidden = new Set<string>();
  readonly logs = new Map<string, string[]>();
  /** Subnets by VPC; the first VPC is the default one if `hasDefaultVpc`. */
  readonly subnets = new Map([["vpc-1", ["subnet-a", "subnet-b"]]]);
  hasDefaultVpc = true;
  isDown = false;
  /** A task stops when it is told to. */
  stopsAtOnce = true;
  /** "RunTask" makes no task, because of this. */
  failure: { readonly reason: string; readonly detail?: string } | null = null;
  onTask: (task: FakeTask) => void = () => undefined;
  readonly #server = createServer((request, response) => {
    void this.#answer(request, response).catch((error: unknown) =>
      fail(response, 500, "ServerException", String(error)),
    );
  });

  static async start(): Promise<FakeEcs> {
    const ecs = new FakeEcs();
    ecs.#server.listen(0, "127.0.0.1");
    await once(ecs.#server, "listening");
    return ecs;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As a block aws-credentials has them. */
  get credentials(): Record<string, unknown> {
    return {
      aws_access_key_id: KEYS.accessKeyId,
      aws_secret_access_key: KEYS.secretAccessKey,
      region_name: KEYS.region,
      aws_client_parameters: { endpoint_url: this.url },
    };
  }

  /** The task's container ends, and with it the task. */
  exits(task: FakeTask, exitCode: number | null, more: Record<string, unknown> = {}, container: object = {}): void {
    const { name } = task.request.overrides.containerOverrides[0] ?? { name: "" };
    const ended = { name, lastStatus: "STOPPED", ...(exitCode === null ? {} : { exitCode }), ...container };
    const stopped = {
      lastStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
    };
    task.status = { ...stopped, containers: [ended], ...more };
  }

  runs(task: FakeTask): void {
    const { name } = task.request.overrides.containerOverrides[0] ?? { name: "" };
    task.status = { lastStatus: "RUNNING", containers: [{ name, lastStatus: "RUNNING" }] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.isDown) {
      request.socket.destroy();
      return;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const raw = Buffer.concat(chunks).toString();
    const [service = "", operation = ""] = String(request.headers["x-amz-target"]).split(".");
    const form = service === "undefined" ? new URLSearchParams(raw) : null;
    if (!(await isSigned(request, raw, this.url, form ? "ec2" : service.startsWith("Logs") ? "logs" : "ecs"))) {
      this.refused.push(`${operation} is not signed as it should be`);
      return await fail(response, 403, "InvalidSignatureException", "The signature does not match.");
    }
    this.calls.push(operation);
    if (this.forbidden.has(operation)) {
      return await fail(response, 400, "AccessDeniedException", `User is not authorized to perform: ${operation}.`);
    }
    if (form !== null) return await this.#ec2(form, response);
    const body = JSON.parse(raw) as Record<string, unknown>;
    if (operation === "GetLogEvents") return await this.#readLogs(body, response);
    const wrong = check(`${operation}Request`, body);
    if (wrong !== null) {
      this.refused.push(wrong);
      return await fail(response, 400, "SerializationException", wrong);
    }
    switch (operation) {
      case "RegisterTaskDefinition":
        return await this.#register(body as FakeDefinition, response);
      case "DescribeTaskDefinition":
        return await this.#describeDefinition(String(body["taskDefinition"]), response);
      case "DeregisterTaskDefinition": {
        const found = this.definitions.get(String(body["taskDefinition"]));
        if (found) found.status = "INACTIVE";
        return await send(response, { taskDefinition: found });
      }
      case "RunTask":
        return await this.#run(body as FakeRequest, response);
      case "DescribeTasks":
        return await this.#describe(body["tasks"] as readonly string[], response);
      case "StopTask":
        return await this.#stop(String(body["task"]), String(body["reason"]), response);
      default:
        return await fail(response, 400, "UnknownOperationException", operation);
    }
  }

  async #register(body: FakeDefinition, response: ServerResponse): Promise<void> {
    const isFargate = body.requiresCompatibilities?.includes("FARGATE");
    if (isFargate && (body.networkMode !== "awsvpc" || !body.cpu || !body.memory)) {
      return await fail(
        response,
        400,
        "ClientException",
        "Fargate requires task definition to have cpu and memory and network mode awsvpc.",
      );
    }
    const revision = [...this.definitions.values()].filter(({ family }) => family === body.family).length + 1;
    const taskDefinitionArn = `${ACCOUNT}:task-definition/${body.family}:${revision}`;
    const containerDefinitions = body.containerDefinitions.map((one) => ({
      cpu: 0,
      portMappings: [],
      environment: [],
      mountPoints: [],
      volumesFrom: [],
      ...one,
    }));
    const made = {
      ...body,
      containerDefinitions,
      taskDefinitionArn,
      revision,
      status: "ACTIVE",
      volumes: [],
      compatibilities: ["EC2"],
    };
    this.definitions.set(taskDefinitionArn, made);
    return await send(response, { taskDefinition: made });
  }

  async #describeDefinition(name: string, response: ServerResponse): Promise<void> {
    const latest = [...this.definitions.values()].findLast(
      ({ family, status }) => family === name && status === "ACTIVE",
    );
    const found = this.definitions.get(name) ?? latest;
    if (!found) return await fail(response, 400, "ClientException", "Unable to describe task definition.");
    return await send(response, { taskDefinition: found });
  }

  async #run(request: FakeRequest, response: ServerResponse): Promise<void> {
    const definition = this.definitions.get(request.taskDefinition);
    const names = definition?.containerDefinitions.map(({ name }) => name) ?? [];
    const wrong = wrongRun(request, definition, names);
    if (wrong !== null) {
      const name = wrong.includes("inactive") ? "ClientException" : "InvalidParameterException";
      return await fail(response, 400, name, wrong);
    }
    if (this.failure !== null) return await send(response, { tasks: [], failures: [this.failure] });
    const id = crypto.randomUUID().replaceAll("-", "");
    const taskArn = `${ACCOUNT}:task/${request.cluster ?? "default"}/${id}`;
    const task = {
      taskArn,
      id,
      request,
      definition: definition as FakeDefinition,
      status: { lastStatus: "PROVISIONING" },
      stops: [],
    };
    this.tasks.push(task);
    await send(response, {
      tasks: [{ taskArn, clusterArn: `${ACCOUNT}:cluster/${request.cluster ?? "default"}` }],
      failures: [],
    });
    this.onTask(task);
  }

  async #describe(arns: readonly string[], response: ServerResponse): Promise<void> {
    const found = this.tasks.filter(({ taskArn }) => arns.includes(taskArn));
    const missing = arns.filter((arn) => !found.some(({ taskArn }) => taskArn === arn));
    const tasks = found.map(({ taskArn, status }) => ({ taskArn, ...status }));
    return await send(response, { tasks, failures: missing.map((arn) => ({ arn, reason: "MISSING" })) });
  }

  async #stop(arn: string, reason: string, response: ServerResponse): Promise<void> {
    const task = this.tasks.find(({ taskArn }) => taskArn === arn);
    if (task === undefined)
      return await fail(response, 400, "InvalidParameterException", "The referenced task was not found.");
    task.stops.push(reason);
    if (this.stopsAtOnce) this.exits(task, 143, { stopCode: "UserInitiated", stoppedReason: reason });
    return await send(response, { task: { taskArn: arn } });
  }

  /** The Query API: a form is asked, XML is answered. */
  async #ec2(form: URLSearchParams, response: ServerResponse): Promise<void> {
    const [action, filter, value] = ["Action", "Filter.1.Name", "Filter.1.Value.1"].map((name) => form.get(name));
    const isAllowed =
      [...form.keys()].sort().join() === "Action,Filter.1.Name,Filter.1.Value.1,Version" &&
      ((action === "DescribeVpcs" && filter === "is-default") || (action === "DescribeSubnets" && filter === "vpc-id"));
    if (!isAllowed) this.refused.push(form.toString());
    this.calls.push(action ?? "");
    response.writeHead(this.forbidden.has(action ?? "") || !isAllowed ? 403 : 200, { "content-type": "text/xml" });
    if (this.forbidden.has(action ?? "")) {
      response.end(
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized.</Message></Error></Errors></Response>",
      );
    } else if (action === "DescribeVpcs") {
      const vpcs = this.hasDefaultVpc ? [...this.subnets.keys()].slice(0, 1) : [];
      response.end(
        `<DescribeVpcsResponse><vpcSet>${vpcs.map((id) => `<item><vpcId>${id}</vpcId></item>`).join("")}</vpcSet></DescribeVpcsResponse>`,
      );
    } else {
      const items = (this.subnets.get(value ?? "") ?? []).map(
        (id) => `<item><subnetId>${id}</subnetId><vpcId>${value}</vpcId></item>`,
      );
      response.end(`<DescribeSubnetsResponse><subnetSet>${items.join("")}</subnetSet></DescribeSubnetsResponse>`);
    }
  }

  async #readLogs(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
    const lines = this.logs.get(`${body["logGroupName"]} ${body["logStreamName"]}`);
    if (lines === undefined)
      return await fail(response, 400, "ResourceNotFoundException", "The specified log stream does not exist.");
    const from = Number(String(body["nextToken"] ?? "f/0").slice(2));
    const events = lines.slice(from).map((message) => ({ message, timestamp: 0, ingestionTime: 0 }));
    return await send(response, { events, nextForwardToken: `f/${lines.length}`, nextBackwardToken: "b/0" });
  }
}

/** What the service refuses although its model allows it. */
function wrongRun(
  request: FakeRequest,
  definition: (FakeDefinition & { status: string }) | undefined,
  names: readonly string[],
): string | null {
  if (definition === undefined) return "TaskDefinition not found.";
  if (definition.status !== "ACTIVE") return "TaskDefinition is inactive";
  if (request.launchType !== undefined && request.capacityProviderStrategy !== undefined) {
    return "Specifying both a launch type and capacity provider strategy is not supported.";
  }
  if (definition.networkMode === "awsvpc" && request.networkConfiguration === undefined) {
    return "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
  }
  const stranger = request.overrides.containerOverrides.find(({ name }) => !names.includes(name));
  if (stranger) return `Override for container named ${stranger.name} is not a container in the TaskDefinition.`;
  return JSON.stringify(request.overrides).length > 8_192 ? "Container Overrides length must be at most 8192" : null;
}

/** By a signer of its own, which the signatures of the SDK prove as it proves ours. */
async function isSigned(request: IncomingMessage, body: string, url: string, service: string): Promise<boolean> {
  const { authorization = "", "x-amz-date": datetime = "" } = request.headers;
  const [, names = ""] = /SignedHeaders=([^,]+)/.exec(authorization) ?? [];
  const own = names.split(";").filter((name) => name !== "host");
  const headers = Object.fromEntries(own.map((name) => [name, String(request.headers[name])]));
  const asked = { method: "POST", url, service, body, headers, datetime: String(datetime), allHeaders: true };
  const expected = (await new AwsV4Signer({ ...asked, ...KEYS }).sign()).headers.get("authorization");
  const signature = (text: string | null): string | undefined => /Signature=([0-9a-f]+)/.exec(text ?? "")?.[1];
  return signature(authorization) === signature(expected);
}

/** Null for what the model allows. */
function check(shape: string, body: unknown): string | null {
  const { valid, errors } = new Validator({ ...schema, $ref: `#/$defs/${shape}` } as Schema, "2020-12", false).validate(
    body,
  );
  if (valid) return null;
  return `${shape}: ${errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).join("; ")}`;
}

async function fail(response: ServerResponse, status: number, type: string, message: string): Promise<void> {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": type });
  response.end(JSON.stringify({ __type: type, message }));
}

async function send(response: ServerResponse, body: unknown): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
  response.end(JSON.stringify(body));
}
