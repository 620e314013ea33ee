/** The server as a person starts and stops it: real processes, real signals. */
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { isAlive } from "../../sdk/server/process-identity.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-e2e-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A port on which nobody listens, or one on which the test does until it ends. */
async function aPort({ taken }: { taken: boolean }): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const close = () => new Promise<void>((resolve) => listener.close(() => resolve()));
  if (taken) onTestFinished(close);
  else await close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function post(url: string, body: unknown): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

/** The status of a GET with headers that `fetch` does not let through. */
function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("a start", () => {
  it("answers health with 200 when everything can be asked, and not before", async ({ expect }) => {
    const port = await aPort({ taken: false });
    const early = new Set<number>();
    const first = eventually(
      "health is 200",
      async () => {
        const { status } = await fetch(`http://127.0.0.1:${port}/api/health`);
        if (status !== 200) early.add(status);
        return status === 200 && (await post(`http://127.0.0.1:${port}/api/flows/filter`, {})).status;
      },
      { withinMs: 30_000, everyMs: 1 },
    );
    await using server = await startTestServer({ port });
    expect(server.port).toBe(port);
    expect(await first).toBe(200);
    expect([...early].filter((status) => status !== 503)).toEqual([]);
  });

  it("prints the addresses of the UI and the API, and both answer", async ({ expect }) => {
    await using server = await startTestServer();
    expect((await fetch(server.origin)).headers.get("content-type")).toContain("text/html");
    expect(await (await fetch(`${server.apiUrl}/health`)).json()).toBe(true);
  });

  it("keeps its configuration, which holds secrets, from other users", async ({ expect }) => {
    await using server = await startTestServer();
    expect(statSync(join(server.dataDir, "engine/wrangler.jsonc")).mode & 0o777).toBe(0o600);
  });

  it("takes port and folder from the environment", async ({ expect }) => {
    const [port, folder] = [await aPort({ taken: true }), join(newFolder(), "deep/er")];
    const { exitCode, stderr } = await sluice(["server", "start"], {
      env: { SLUICE_PORT: String(port), SLUICE_DATA_DIR: folder },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`Port ${port} is in use`);
    expect(existsSync(folder)).toBe(true);
  });
});

describe("a start that cannot be", () => {
  it("names the process and the address of the server that has the folder", async ({ expect }) => {
    await using server = await startTestServer();
    const { exitCode, stderr } = await sluice(["server", "start", "--port", "0", "--data", server.dataDir]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `error: The data folder ${server.dataDir} is used by another server (process ${server.pid}, ${server.origin}).\n` +
        "  → Stop that server, or give this one a folder of its own: --data DIR\n",
    );
    expect((await fetch(`${server.apiUrl}/health`)).status).toBe(200);
  });

  it("says that the port is in use", async ({ expect }) => {
    const port = await aPort({ taken: true });
    const { exitCode, stderr } = await sluice(["server", "start", "--port", String(port), "--data", newFolder()]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `error: Port ${port} is in use by another program.\n` +
        `  → Stop that program, or choose another port: --port ${port + 100} (0 takes any free one)\n`,
    );
  });

  it("says that other machines could come in without a root key", async ({ expect }) => {
    const folder = join(newFolder(), "data");
    const { exitCode, stderr } = await sluice([
      "server",
      "start",
      "--host",
      "0.0.0.0",
      "--port",
      "0",
      "--data",
      folder,
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("The address 0.0.0.0 can be reached from other machines, and no root key is set");
    expect(stderr).toContain("→ Set SLUICE_ROOT_KEY");
    expect(existsSync(folder)).toBe(false);
  });

  it("says that the data is of a newer version", async ({ expect }) => {
    const folder = newFolder();
    writeFileSync(join(folder, "schema.json"), JSON.stringify({ schema: "9999_future", version: "9.0.0" }));
    const { exitCode, stderr } = await sluice(["server", "start", "--port", "0", "--data", folder]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("has the schema 9999_future of Sluice 9.0.0, which is newer than this program");
    expect(stderr).toContain("→ Run Sluice 9.0.0 or newer");
  });

  it.runIf(process.platform === "linux")("says that too few files may be opened", async ({ expect }) => {
    const { exitCode, stderr } = await sluice(["server", "start", "--port", "0", "--data", newFolder()], {
      through: ["prlimit", "--nofile=1024:1024"],
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("This process may open 1024 files at most; the server needs 4096.");
    expect(stderr).toContain("→ Raise the hard limit");
  });

  it.for([
    ["is no program for this machine", "\u007fELF of another kind"],
    ["misses a library", "#!/bin/sh\necho 'version `GLIBC_2.35 not found' >&2\nexit 1\n"],
  ] as const)("says that the engine %s", async ([, content], { expect }) => {
    const folder = newFolder();
    const program = join(folder, "workerd");
    writeFileSync(program, content);
    chmodSync(program, 0o755);
    const { exitCode, stderr } = await sluice(["server", "start", "--port", "0", "--data", folder], {
      env: { SLUICE_WORKERD: program },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`The program ${program} does not run on this machine: `);
    expect(stderr).toContain("→ It needs Linux with glibc");
  });

  it("says that a heartbeat is no number", async ({ expect }) => {
    const { exitCode, stderr } = await sluice(["server", "start", "--port", "0", "--data", newFolder()], {
      env: { SLUICE_HEARTBEAT_MS: "soon" },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('SLUICE_HEARTBEAT_MS is "soon"');
  });
});

describe("a running server", () => {
  it("refuses requests that name a foreign host or come from a foreign page", async ({ expect }) => {
    await using server = await startTestServer();
    const url = `${server.apiUrl}/health`;
    const host = new URL(server.origin).host;
    expect(await statusOf(url, { host: "evil.test" })).toBe(403);
    expect(await statusOf(url, { host, origin: "http://evil.test" })).toBe(403);
    expect(await statusOf(url, { host: `localhost:${server.port}` })).toBe(200);
    expect(await statusOf(url, { host, origin: server.origin })).toBe(200);
  });

  it("asks for the root key where one is set, and lets the internal route answer nobody", async ({ expect }) => {
    await using server = await startTestServer({
      env: { SLUICE_ROOT_KEY: "open-sesame", SLUICE_ALLOWED_HOSTS: "sluice.test" },
    });
    const url = `${server.apiUrl}/version`;
    const host = "sluice.test";
    expect(await statusOf(url, { host })).toBe(401);
    expect(await statusOf(url, { host, authorization: "Bearer open-sesame" })).toBe(200);
    const migrate = await post(`${server.apiUrl}/internal/migrate`, { migrations: [] });
    expect(migrate.status).toBe(404);
  });

  it("keeps what it acknowledged when it is killed, and its engine is gone with it", async ({ expect }) => {
    await using server = await startTestServer();
    const flow = await post(`${server.apiUrl}/flows/`, { name: "survivor" });
    const run = await post(`${server.apiUrl}/flow_runs/`, { flow_id: flow.json["id"], state: { type: "SCHEDULED" } });
    expect(run.status).toBe(201);
    const engine = server.engine;
    expect(await server.kill("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    expect(isAlive(engine)).toBe(false);

    await server.restart();
    const again = await fetch(`${server.apiUrl}/flow_runs/${run.json["id"]}`);
    expect(await again.json()).toMatchObject({ id: run.json["id"], flow_id: flow.json["id"], state_type: "SCHEDULED" });
  });

  it("starts its engine again when that is killed, on the same port with the same data", async ({ expect }) => {
    await using server = await startTestServer();
    const flow = await post(`${server.apiUrl}/flows/`, { name: "survivor" });
    process.kill(server.engine.pid, "SIGKILL");
    const found = await eventually("the flow is there again", async () => {
      const answer = await fetch(`${server.apiUrl}/flows/${flow.json["id"]}`);
      return answer.status === 200 && answer.json();
    });
    expect(found).toMatchObject({ name: "survivor" });
    await eventually("the restart is reported", () => server.stderr.includes("The engine is serving again."));
    expect(server.stderr).toContain("The engine ended unexpectedly (signal SIGKILL); starting it again");
  });

  it("gives up, with a failure and a sentence, when its engine ends again and again", async ({ expect }) => {
    await using server = await startTestServer();
    let exit: Awaited<typeof server.exited> | null = null;
    void server.exited.then((ended) => {
      exit = ended;
    });
    let killed: string | null = null;
    await eventually(
      "the server has given up",
      () => {
        if (exit !== null) return true;
        const { pid, startedAt } = server.engine;
        if (startedAt !== killed && isAlive({ pid, startedAt })) process.kill(pid, "SIGKILL");
        killed = startedAt;
        return false;
      },
      { withinMs: 40_000 },
    );
    expect(exit).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain("The engine ended 5 times within a minute, last by signal SIGKILL.");
  });
});

describe("a stop", () => {
  it.for(["SIGTERM", "SIGINT"] as const)("by %s ends everything with exit code 0", async (signal, { expect }) => {
    await using server = await startTestServer();
    const engine = server.engine;
    expect(await server.kill(signal)).toEqual({ code: 0, signal: null });
    expect(isAlive(engine)).toBe(false);
    expect(server.stderr).toContain(`Stopping (${signal})`);
    expect(existsSync(join(server.dataDir, "engine.json"))).toBe(false);
  });

  it("does not wait for clients that keep their connections open", async ({ expect }) => {
    await using server = await startTestServer();
    const before = performance.now();
    await fetch(`${server.apiUrl}/health`, { keepalive: true });
    expect(await server.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(4_000);
  });
});
