/**
 * A small Kubernetes API on loopback, for machines without a cluster. It refuses, with 400 or 422, whatever the published
 * API does not allow in the requests that workers make (`kubernetes-schema.json`, read strictly: unknown fields too),
 * and lets tests say what becomes of the pods.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Schema, Validator } from "@cfworker/json-schema";
import schema from "./kubernetes-schema.json" with { type: "json" };

export interface FakeObject {
  readonly kind: "Job" | "Pod" | "Secret";
  metadata: {
    name: string;
    uid: string;
    creationTimestamp: string;
    resourceVersion: string;
    labels: Record<string, string>;
    ownerReferences?: unknown;
  };
  readonly spec: FakeSpec;
  readonly stringData: Record<string, string>;
  status: Record<string, unknown>;
}

export interface FakeSpec {
  readonly template: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: FakePodSpec };
  readonly ttlSecondsAfterFinished?: number;
  readonly backoffLimit: number;
}

export interface FakePodSpec {
  readonly serviceAccountName?: string;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly containers: readonly FakeContainer[];
}

export interface FakeContainer {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly workingDir?: string;
  readonly imagePullPolicy?: string;
  readonly resources?: unknown;
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
}

interface Watcher {
  readonly collection: string;
  readonly selector: Selector;
  readonly response: ServerResponse;
}

interface Follower {
  readonly pod: string;
  readonly response: ServerResponse;
}

type Selector = (object: FakeObject) => boolean;

const TOKEN = "a-token-of-tests";
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  list: ["fieldSelector", "labelSelector", "watch", "allowWatchBookmarks", "timeoutSeconds", "resourceVersion"],
  create: ["fieldValidation"],
  log: ["container", "follow", "timestamps", "sinceTime"],
  one: [],
};
const COLLECTIONS: Readonly<Record<string, FakeObject["kind"]>> = {
  "/apis/batch/v1/namespaces/flows/jobs": "Job",
  "/api/v1/namespaces/flows/pods": "Pod",
  "/api/v1/namespaces/flows/secrets": "Secret",
};

export class FakeCluster implements AsyncDisposable {
  /** Requests that the published API does not allow. */
  readonly refused: string[] = [];
  /** `DELETE /path {options}` of each that was asked for. */
  readonly deletions: { readonly path: string; readonly options: Record<string, unknown> }[] = [];
  /** What the worker's account may not do, as `METHOD Kind`. */
  readonly forbidden = new Set<string>();
  readonly lists: string[] = [];
  /** No request is answered while this is set. */
  isDown = false;
  /** Pods take no notice of being asked to end. */
  isStubborn = false;
  makesPods = true;
  /** Called with each Job that was made. */
  onJob: (job: FakeObject) => void = () => undefined;
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  readonly #logs = new Map<string, string[]>();
  readonly #watchers = new Set<Watcher>();
  readonly #followers = new Set<Follower>();
  readonly #server = createServer((request, response) => {
    void this.#answer(request, response).catch((error: unknown) => refuse(response, 500, String(error)));
  });
  #version = 100;

  static async start(): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    cluster.#server.listen(0, "127.0.0.1");
    await once(cluster.#server, "listening");
    return cluster;
  }

  /** As a block kubernetes-cluster-config has it. */
  get config(): { readonly config: object; readonly context_name: string } {
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return {
      context_name: "test",
      config: {
        apiVersion: "v1",
        kind: "Config",
        "current-context": "other",
        clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
        users: [{ name: "u", user: { token: TOKEN } }],
        contexts: [{ name: "test", context: { cluster: "c", user: "u" } }],
      },
    };
  }

  all(kind: FakeObject["kind"]): FakeObject[] {
    return [...this.#kind(kind).values()];
  }

  /** Of the pod of a Job, whose container has this state. */
  container(job: FakeObject, state: object, status: object = {}): void {
    const { name } = job.spec.template.spec.containers[0] ?? { name: "" };
    this.pod(job, { phase: "Running", containerStatuses: [{ name, state }], ...status });
  }

  pod(job: FakeObject, status: Record<string, unknown>): void {
    const pod = this.#kind("Pod").get(`${job.metadata.name}-x`);
    if (pod === undefined) throw new Error("The Job has no pod.");
    pod.status = status;
    this.#tell("MODIFIED", pod);
    const statuses = (status["containerStatuses"] ?? []) as readonly { state: object }[];
    if (statuses.some(({ state }) => "terminated" in state)) this.#closeLogs(pod.metadata.name);
  }

  /** The Job ends, as its controller says it. */
  ends(job: FakeObject, type: "Complete" | "Failed", more: object = {}): void {
    job.status = { conditions: [{ type, status: "True", ...more }] };
    this.#tell("MODIFIED", job);
  }

  /** Its container ends, and with it the Job. */
  exits(job: FakeObject, exitCode: number, more: object = {}): void {
    this.container(job, { terminated: { exitCode, reason: exitCode === 0 ? "Completed" : "Error", ...more } });
    if (exitCode === 0) this.ends(job, "Complete");
    else this.ends(job, "Failed", { reason: "BackoffLimitExceeded", message: "Job has reached its backoff limit" });
  }

  writes(job: FakeObject, line: string, at = new Date().toISOString().replace("Z", "123Z")): void {
    const name = `${job.metadata.name}-x`;
    const stamped = `${at} ${line}\n`;
    this.#logs.set(name, [...(this.#logs.get(name) ?? []), stamped]);
    for (const { pod, response } of this.#followers) if (pod === name) response.write(stamped);
  }

  deletes(object: FakeObject): void {
    this.#kind(object.kind).delete(object.metadata.name);
    this.#tell("DELETED", object);
    if (object.kind === "Pod") this.#closeLogs(object.metadata.name);
  }

  /** Open watches and logs end in the middle, as when a proxy or the API restarts. */
  breakStreams(): void {
    for (const { response } of [...this.#watchers, ...this.#followers]) response.destroy();
    this.#watchers.clear();
    this.#followers.clear();
  }

  get watches(): number {
    return this.#watchers.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #kind(kind: FakeObject["kind"]): Map<string, FakeObject> {
    const found = this.#objects.get(kind) ?? new Map<string, FakeObject>();
    this.#objects.set(kind, found);
    return found;
  }

  #tell(type: string, object: FakeObject): void {
    object.metadata.resourceVersion = String(++this.#version);
    for (const { collection, selector, response } of this.#watchers) {
      if (COLLECTIONS[collection] === object.kind && selector(object)) {
        response.write(`${JSON.stringify({ type, object })}\n`);
      }
    }
  }

  #closeLogs(pod: string): void {
    for (const follower of this.#followers) if (follower.pod === pod) follower.response.end();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.isDown) return void request.socket.destroy();
    const url = new URL(request.url ?? "", "http://cluster");
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return refuse(response, 401, "Unauthorized");
    const [, collection = "", name, sub] =
      /^(\/.+?\/namespaces\/[^/]+\/\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(url.pathname) ?? [];
    const kind = COLLECTIONS[collection];
    if (kind === undefined) return refuse(response, 404, `namespaces or resource of ${url.pathname} not found`);
    const { method = "" } = request;
    if (this.forbidden.has(`${method} ${kind}`)) {
      return refuse(response, 403, `${kind.toLowerCase()}s is forbidden: the account cannot ${method} them`);
    }
    const form = name === undefined ? (method === "POST" ? "create" : "list") : sub === "log" ? "log" : "one";
    for (const query of url.searchParams.keys()) {
      if (!QUERIES[form]?.includes(query)) return this.#refuse(response, 400, `unknown query ${query} of ${form}`);
    }
    switch (`${method} ${form}`) {
      case "GET list":
        return await this.#list(collection, kind, url, response);
      case "POST create":
        return await this.#create(kind, body, response);
      case "GET log":
        return await this.#log(name ?? "", url, response);
      default:
        return await this.#one(
          method,
          kind,
          name ?? "",
          url.pathname,
          { body, type: request.headers["content-type"] },
          response,
        );
    }
  }

  async #list(collection: string, kind: FakeObject["kind"], url: URL, response: ServerResponse): Promise<void> {
    const selector = selectorOf(url);
    if (url.searchParams.get("watch") === "true") {
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      const watcher = { collection, selector, response };
      this.#watchers.add(watcher);
      response.on("close", () => this.#watchers.delete(watcher));
      // What happened between the list and the watch is told first.
      const since = Number(url.searchParams.get("resourceVersion"));
      for (const object of this.all(kind).filter(selector)) {
        if (Number(object.metadata.resourceVersion) > since) {
          response.write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
        }
      }
      return;
    }
    this.lists.push(kind);
    const metadata = { resourceVersion: String(this.#version) };
    send(response, 200, { kind: `${kind}List`, metadata, items: this.all(kind).filter(selector) });
  }

  async #create(kind: FakeObject["kind"], body: unknown, response: ServerResponse): Promise<void> {
    const wrong = check(kind, body);
    if (wrong !== null) return this.#refuse(response, 422, wrong);
    const given = body as FakeObject;
    const { name } = given.metadata;
    if (this.#kind(kind).has(name)) return refuse(response, 409, `"${name}" already exists`);
    const object = this.#add({ ...given, status: {} });
    send(response, 201, object);
    if (kind !== "Job") return;
    if (this.makesPods) {
      const { metadata, spec } = given.spec.template;
      const labels = { ...metadata.labels, "job-name": name };
      this.#add({
        kind: "Pod",
        metadata: { ...given.metadata, name: `${name}-x`, labels },
        spec,
        status: { phase: "Pending" },
      });
    }
    this.onJob(object);
  }

  #add(given: object): FakeObject {
    const object = given as FakeObject;
    object.metadata = {
      ...object.metadata,
      uid: crypto.randomUUID(),
      creationTimestamp: new Date().toISOString(),
      resourceVersion: "0",
    };
    this.#kind(object.kind).set(object.metadata.name, object);
    this.#tell("ADDED", object);
    return object;
  }

  async #log(name: string, url: URL, response: ServerResponse): Promise<void> {
    const pod = this.#kind("Pod").get(name);
    if (pod === undefined) return refuse(response, 404, `pods "${name}" not found`);
    if (pod.status["phase"] === "Pending")
      return refuse(response, 400, "container is waiting to start: ContainerCreating");
    const since = url.searchParams.get("sinceTime") ?? "";
    if (since !== "" && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(since)) {
      return this.#refuse(response, 400, `sinceTime: ${since}`);
    }
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders();
    for (const line of this.#logs.get(name) ?? []) if (line.slice(0, 19) >= since.slice(0, 19)) response.write(line);
    const statuses = (pod.status["containerStatuses"] ?? []) as readonly { state: object }[];
    if (statuses.some(({ state }) => "terminated" in state)) return void response.end();
    const follower = { pod: name, response };
    this.#followers.add(follower);
    response.on("close", () => this.#followers.delete(follower));
  }

  async #one(
    method: string,
    kind: FakeObject["kind"],
    name: string,
    path: string,
    { body, type }: { readonly body: unknown; readonly type: string | undefined },
    response: ServerResponse,
  ): Promise<void> {
    const object = this.#kind(kind).get(name);
    if (object === undefined) return refuse(response, 404, `"${name}" not found`);
    if (method === "GET") return send(response, 200, object);
    if (method === "PATCH") {
      if (type !== "application/merge-patch+json") return this.#refuse(response, 415, `${type}`);
      const { metadata } = body as { metadata: object };
      const { kind: _, ...merged } = {
        ...object,
        metadata: { name, ...metadata },
        apiVersion: "v1",
        status: undefined,
      };
      const wrong = check(kind, JSON.parse(JSON.stringify({ ...merged, kind })));
      if (wrong !== null) return this.#refuse(response, 422, wrong);
      object.metadata = { ...object.metadata, ...metadata };
      return send(response, 200, object);
    }
    if (method !== "DELETE") return this.#refuse(response, 405, `${method} ${path}`);
    const wrong = body === undefined ? null : check("DeleteOptions", body);
    if (wrong !== null) return this.#refuse(response, 422, wrong);
    const options = (body ?? {}) as Record<string, unknown>;
    this.deletions.push({ path, options });
    if (kind !== "Pod" || !this.isStubborn || options["gracePeriodSeconds"] === 0) this.deletes(object);
    send(response, 200, { kind: "Status", status: "Success" });
  }

  #refuse(response: ServerResponse, status: number, message: string): void {
    this.refused.push(message);
    refuse(response, status, message);
  }
}

function selectorOf(url: URL): Selector {
  const field = url.searchParams.get("fieldSelector");
  const label = url.searchParams.get("labelSelector");
  return ({ metadata }) => {
    const [key = "", value] = label?.split("=") ?? [];
    const hasLabel = label === null || metadata.labels[key] === value;
    return hasLabel && (field === null || field === `metadata.name=${metadata.name}`);
  };
}

/** Null for what the API allows. */
function check(kind: string, body: unknown): string | null {
  const { valid, errors } = new Validator({ ...schema, $ref: `#/$defs/${kind}` } as Schema, "2020-12", false).validate(
    body,
  );
  if (valid) return null;
  return `${kind} is invalid: ${errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).join("; ")}`;
}

function refuse(response: ServerResponse, code: number, message: string): void {
  send(response, code, { kind: "Status", apiVersion: "v1", status: "Failure", message, code });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
