/** A worker behind a small CONNECT proxy that cuts every connection after a while. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

/** Any address of 127/8 but the usual one reaches the server through the proxy only. */
const FAR_HOST = "127.0.0.2";
/** A key and a certificate for that address, made for these tests alone. */
const FAR_HOST_FILES = new URL("../support/far-host/", import.meta.url);
let server: TestServer;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: "1000" } });
  plane = controlPlane(server.apiUrl);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Hosts and ports that were asked for. */
  readonly asked: string[] = [];

  /** With `socketsAfterMs`, WebSockets are cut after this span, and requests after the first one. */
  constructor(cutAfterMs: number, socketsAfterMs = cutAfterMs) {
    this.#server = createServer();
    this.#server.on("connect", (request, client: Socket) => {
      this.asked.push(request.url ?? "");
      const port = Number((request.url ?? "").split(":").at(-1));
      const far = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        far.pipe(client).pipe(far);
      });
      let cut = setTimeout(() => client.destroy(), cutAfterMs);
      client.on("data", (bytes: Buffer) => {
        if (!/upgrade: websocket/i.test(bytes.toString("latin1"))) return;
        clearTimeout(cut);
        cut = setTimeout(() => client.destroy(), socketsAfterMs);
      });
      for (const [socket, other] of [
        [client, far],
        [far, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          clearTimeout(cut);
          other.destroy();
          this.#sockets.delete(socket);
        });
      }
    });
  }

  async open(scheme: "HTTP" | "HTTPS" = "HTTP"): Promise<{ [name: string]: string; NO_PROXY: string }> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = this.#server.address() as AddressInfo;
    return { [`${scheme}_PROXY`]: `http://127.0.0.1:${port}`, NO_PROXY: "elsewhere.example" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Ends TLS, by a certificate that nobody knows, and hands what is in it on to a port of the loopback. */
async function tlsBefore(target: number): Promise<AsyncDisposable & { readonly port: number }> {
  const [key, cert] = ["key.pem", "certificate.pem"].map((name) => readFileSync(new URL(name, FAR_HOST_FILES)));
  const sockets = new Set<Socket>();
  const front = createTlsServer({ key, cert }, (near) => {
    const to = connect(target, "127.0.0.1");
    near.pipe(to).pipe(near);
    for (const [socket, other] of [
      [near, to],
      [to, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  return {
    port: (front.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
    },
  };
}

describe("a worker behind a proxy", () => {
  it("reaches its pool and its runs reach their server, however often the proxy cuts them", async ({ expect }) => {
    using trace = traceFile();
    await using proxy = new CuttingProxy(2_500);
    const env = await proxy.open();
    await plane.pool("far");
    const apiUrl = `http://${FAR_HOST}:${server.port}/api`;
    await using worker = await startWorker({ apiUrl, pool: "far", env });
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:steps", "far");
    for (let count = 0; count < 3; count++) {
      const { id } = await plane.trigger(deployment, { trace: trace.path });
      expect((await plane.ends(id)).state_name).toBe("Completed");
      // Whatever is cut in between, the next run starts.
      const online = () => worker.lines.filter(({ kind }) => kind === "online").length;
      const before = online();
      await eventually("the worker was cut off and is back", () => online() > before);
    }
    expect(new Set(proxy.asked)).toEqual(new Set([`${FAR_HOST}:${server.port}`]));
    expect(trace.read().filter(({ what }) => what === "start")).toHaveLength(3);
  });

  it("goes by requests where its sockets are cut again and again, and says so", async ({ expect }) => {
    using trace = traceFile();
    await using proxy = new CuttingProxy(60_000, 100);
    const env = await proxy.open();
    await plane.pool("narrow");
    const apiUrl = `http://${FAR_HOST}:${server.port}/api`;
    await using worker = await startWorker({ apiUrl, pool: "narrow", env, limit: 1 });
    await eventually("it goes by requests", () => worker.lines.some(({ via }) => via === "requests"));
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:steps", "narrow");
    const ids = [];
    for (let count = 0; count < 3; count++) ids.push((await plane.trigger(deployment, { trace: trace.path })).id);
    for (const id of ids) expect((await plane.ends(id)).state_name).toBe("Completed");
    expect(trace.read().filter(({ what }) => what === "start")).toHaveLength(3);
  });

  it("reaches a server behind it whose certificate only NODE_EXTRA_CA_CERTS knows", async ({ expect }) => {
    using trace = traceFile();
    await using proxy = new CuttingProxy(60_000);
    await using far = await tlsBefore(server.port);
    const apiUrl = `https://${FAR_HOST}:${far.port}/api`;
    const proxied = await proxy.open("HTTPS");
    const env = { ...proxied, NODE_EXTRA_CA_CERTS: fileURLToPath(new URL("certificate.pem", FAR_HOST_FILES)) };
    await plane.pool("sealed");
    await using worker = await startWorker({ apiUrl, pool: "sealed", env });
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:steps", "sealed");
    const { id } = await plane.trigger(deployment, { trace: trace.path });
    expect((await plane.ends(id)).state_name).toBe("Completed");
    expect(worker.lines.find(({ via }) => via !== undefined)?.via).toBe("socket");
    expect(new Set(proxy.asked)).toEqual(new Set([`${FAR_HOST}:${far.port}`]));
  });

  it("is not used for this machine itself", async ({ expect }) => {
    await using proxy = new CuttingProxy(60_000);
    const env = { ...(await proxy.open()), SLUICE_API_URL: server.apiUrl };
    expect((await sluice(["work-pool", "ls"], { env })).exitCode).toBe(0);
    expect(proxy.asked).toEqual([]);
  });
});
