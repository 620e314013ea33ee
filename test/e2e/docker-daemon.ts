/**
 * A small Docker daemon on loopback, for machines without Docker. It refuses, with 400, whatever the published API
 * (Docker Engine API 1.47) does not allow in the requests that workers make, and runs a container as a process of this
 * machine, so that what a worker makes of its output and its end is real.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { CLI, cleanEnvironment } from "../support/sluice.ts";

const text = z.string();
const texts = z.array(z.string());
const textMap = z.record(z.string(), z.string());
/** ContainerConfig with HostConfig, as far as no other test uses them: a key that is not here is refused. */
const ContainerCreate = z.strictObject({
  Image: text.min(1),
  Cmd: texts.min(1),
  Env: z.array(z.string().regex(/^[^=]+=/)),
  Labels: textMap,
  WorkingDir: text.optional(),
  // dockerode repeats the name, which belongs to the query, in the body; the daemon ignores it there.
  name: text.optional(),
  HostConfig: z.strictObject({
    Binds: z.array(z.string().regex(/^[^:]+:[^:]+(:[a-zA-Z,]+)?$/)),
    Privileged: z.boolean(),
    NetworkMode: text.optional(),
    Memory: z.int().optional(),
    MemorySwap: z.int().optional(),
    NanoCpus: z.int().optional(),
    ExtraHosts: z.array(z.string().regex(/^[^:]+:.+$/)).optional(),
  }),
});
type ContainerCreate = z.infer<typeof ContainerCreate>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** What dockerode puts into the query it sends as a body too, which the daemon does not read. */
const NO_BODY = z.union([z.undefined(), z.strictObject({}), z.strictObject({ t: z.int() })]);

export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly options: ContainerCreate;
  readonly networks: string[];
  process: ChildProcess | null;
  ended: Promise<number>;
  attached: ServerResponse | null;
  isRemoved: boolean;
  /** `?t=` of each stop. */
  readonly stops: number[];
}

export interface DockerDaemon extends AsyncDisposable {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  readonly containers: readonly DockerContainer[];
  readonly pulls: { readonly image: string; readonly auth: unknown }[];
  /** Images that are there, and those that a registry has. */
  readonly images: Set<string>;
  readonly registry: Set<string>;
  /** Containers of this image count as out of memory. */
  readonly hungry: Set<string>;
  /** Requests that the published API does not allow. */
  readonly refused: string[];
}

export async function startDockerDaemon(): Promise<DockerDaemon> {
  const containers: DockerContainer[] = [];
  const daemon = {
    containers,
    pulls: [] as { image: string; auth: unknown }[],
    images: new Set<string>(),
    registry: new Set<string>(),
    hungry: new Set<string>(),
    refused: [] as string[],
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => send(response, 500, { message: String(error) }));
  });
  const refuse = (response: ServerResponse, message: string): void => {
    daemon.refused.push(message);
    send(response, 400, { message });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://docker");
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const raw = Buffer.concat(chunks).toString();
    const body: unknown = raw === "" ? undefined : JSON.parse(raw);
    const route = `${request.method} ${url.pathname}`;
    const image = /^GET \/images\/(.+)\/json$/.exec(route)?.[1];
    if (image !== undefined) {
      const isThere = daemon.images.has(decodeURIComponent(image));
      return send(response, isThere ? 200 : 404, isThere ? { Id: "sha256:1" } : { message: `No such image: ${image}` });
    }
    if (route === "POST /images/create") return pull(request, url, response);
    if (route === "POST /containers/create") return create(url, body, response);
    const network = /^POST \/networks\/([^/]+)\/connect$/.exec(route)?.[1];
    if (network !== undefined) {
      const asked = z.strictObject({ Container: z.string() }).safeParse(body);
      if (!asked.success) return refuse(response, asked.error.message);
      containers.find(({ id }) => id === asked.data.Container)?.networks.push(network);
      return send(response, 200, undefined);
    }
    const [, method = "", id = "", action = ""] = /^(\w+) \/containers\/([^/]+)(?:\/(\w+))?$/.exec(route) ?? [];
    const container = containers.find((one) => one.id === id && !one.isRemoved);
    if (container === undefined) return send(response, 404, { message: `No such container: ${route}` });
    return await act(container, `${method} ${action}`, url, body, response);
  }

  function pull(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const tag = url.searchParams.get("tag");
    const from = url.searchParams.get("fromImage") ?? "";
    const image = tag ? `${from}:${tag}` : from;
    const header = request.headers["x-registry-auth"];
    const auth = typeof header === "string" ? JSON.parse(Buffer.from(header, "base64").toString()) : null;
    daemon.pulls.push({ image, auth });
    const isThere = daemon.registry.has(image);
    if (isThere) daemon.images.add(image);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`${JSON.stringify(isThere ? { status: "Pulled" } : { error: `manifest for ${image} not found` })}\n`);
  }

  function create(url: URL, body: unknown, response: ServerResponse): void {
    const name = url.searchParams.get("name") ?? "";
    const options = ContainerCreate.safeParse(body);
    if (!NAME.test(name)) refuse(response, `Invalid container name (${name})`);
    else if (!options.success) refuse(response, options.error.message);
    else if (!daemon.images.has(options.data.Image)) send(response, 404, { message: "No such image" });
    else if (containers.some((one) => one.name === name && !one.isRemoved))
      send(response, 409, { message: "Conflict" });
    else add(name, options.data, response);
  }

  function add(name: string, options: ContainerCreate, response: ServerResponse): void {
    const made: DockerContainer = {
      id: crypto.randomUUID().replaceAll("-", ""),
      name,
      options,
      networks: [],
      process: null,
      ended: Promise.resolve(0),
      attached: null,
      isRemoved: false,
      stops: [],
    };
    containers.push(made);
    send(response, 201, { Id: made.id, Warnings: [] });
  }

  async function act(container: DockerContainer, action: string, url: URL, body: unknown, response: ServerResponse) {
    if (!NO_BODY.safeParse(body).success && action !== "POST attach")
      return refuse(response, `${action} takes no body`);
    switch (action) {
      case "POST attach":
        response.writeHead(200, { "content-type": "application/vnd.docker.multiplexed-stream" });
        response.flushHeaders();
        container.attached = response;
        return;
      case "POST start":
        run(container);
        return send(response, 204, undefined);
      case "POST wait":
        return send(response, 200, { StatusCode: await container.ended });
      case "POST stop": {
        const seconds = Number(url.searchParams.get("t") ?? 10);
        container.stops.push(seconds);
        const { process: child } = container;
        if (child?.exitCode !== null) return send(response, 304, undefined);
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1_000);
        await container.ended;
        clearTimeout(timer);
        return send(response, 204, undefined);
      }
      case "GET json":
        return send(response, 200, {
          Id: container.id,
          State: { OOMKilled: daemon.hungry.has(container.options.Image) },
        });
      case "DELETE ":
        container.isRemoved = true;
        return send(response, 204, undefined);
      default:
        return send(response, 404, { message: `page not found: ${action}` });
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...daemon,
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const { process: child } of containers) child?.kill("SIGKILL");
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The program of an image is found on this machine; the name by which a container knows the machine leads to it. */
function run(container: DockerContainer): void {
  const env = Object.fromEntries(
    container.options.Env.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1).replace("host.docker.internal", "127.0.0.1")];
    }),
  );
  const [program = "", ...words] = container.options.Cmd;
  const command: readonly string[] = program === "sluice" ? [process.execPath, CLI, ...words] : [program, ...words];
  const child = spawn(command[0] ?? "", command.slice(1), {
    cwd: container.options.WorkingDir,
    env: cleanEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  container.process = child;
  for (const [stream, number] of [
    [child.stdout, 1],
    [child.stderr, 2],
  ] as const) {
    stream.on("data", (chunk: Buffer) => {
      const header = Buffer.alloc(8);
      header.writeUInt8(number, 0);
      header.writeUInt32BE(chunk.length, 4);
      container.attached?.write(Buffer.concat([header, chunk]));
    });
  }
  container.ended = new Promise((resolve) => {
    child.once("close", (code, signal) => {
      container.attached?.end();
      resolve(code ?? (signal === "SIGKILL" ? 137 : 143));
    });
    child.once("error", () => resolve(127));
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
