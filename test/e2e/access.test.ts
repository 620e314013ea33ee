/** API keys as people use them: made with the root key, given to workers and scripts, revoked. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../support/eventually.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Ended, sluice } from "../support/sluice.ts";
import { controlPlane } from "./control-plane.ts";

const ROOT_KEY = "root-key-of-the-test";
const UNKNOWN_ID = "01a1fcd3-d6d8-7000-8002-765f2ce24811";
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_ROOT_KEY: ROOT_KEY } });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

function typeWith(key: string, ...words: string[]): Promise<Ended> {
  return sluice(words, { env: { SLUICE_API_URL: server.apiUrl, SLUICE_API_KEY: key } });
}

async function makeKey(name: string, ...more: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await typeWith(ROOT_KEY, "key", "create", name, ...more, "--output", "json");
  if (exitCode !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { key: string }).key;
}

/** The first frame that the socket for events answers, or how it was closed. */
function greet(token: string | null): Promise<unknown> {
  const socket = new WebSocket(`${server.apiUrl.replace("http", "ws")}/events/in`, "prefect");
  return new Promise((resolve, reject) => {
    socket.on("open", () => socket.send(JSON.stringify({ type: "auth", token })));
    socket.on("message", (data) => {
      resolve(JSON.parse(String(data)));
      socket.close();
    });
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    socket.on("error", reject);
  });
}

describe("a key of the role worker", () => {
  it("is enough for a worker to execute a run, and not to make deployments", async ({ expect }) => {
    const key = await makeKey("machine", "--role", "worker");
    const plane = controlPlane(server.apiUrl, ROOT_KEY);
    await plane.pool("keyed");
    const deployment = await plane.deploy("examples/hello.ts:hello", "keyed", { name: "hello" });
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool: "keyed", env: { SLUICE_API_KEY: key } });
    const run = await plane.trigger(deployment);
    expect((await plane.ends(run.id)).state_name, worker.text()).toBe("Completed");
    const { exitCode, stderr } = await typeWith(key, "deployment", "delete", "e2e/hello");
    expect(exitCode).toBe(4);
    expect(stderr).toContain('needs the role operator; the key "machine" has the role worker.');
  });
});

describe("the socket for events", () => {
  it.for([
    ["worker", { type: "auth_success" }],
    ["viewer", { code: 1008, reason: "Auth required: the key's role is viewer" }],
  ] as const)("answers a key of the role %s with %j", async ([role, answer], { expect }) => {
    const key = await makeKey(`events-${role}`, "--role", role);
    expect(await greet(key)).toEqual(answer);
    expect(await greet(`somebody:${key}`)).toEqual(answer);
  });

  it.for([
    [null, "no token was sent; set PREFECT_API_AUTH_STRING to the key"],
    ["wrong", "the token is not a key of this server"],
  ] as const)("closes on the token %j and says why", async ([token, reason], { expect }) => {
    expect(await greet(token)).toEqual({ code: 1008, reason: `Auth required: ${reason}` });
  });
});

describe("sluice key", () => {
  it("shows a key once, lists it, and revokes it by its name", async ({ expect }) => {
    const key = await makeKey("reader", "--role", "viewer");
    expect((await typeWith(key, "flow-run", "ls")).exitCode).toBe(0);
    const listed = await typeWith(ROOT_KEY, "key", "ls");
    expect(listed.stdout).toMatch(/reader +viewer +never +20\d\d-/);
    expect(listed.stdout).not.toContain(key);
    expect((await typeWith(ROOT_KEY, "key", "revoke", "reader")).exitCode).toBe(0);
    await eventually("it is refused", async () => (await typeWith(key, "flow-run", "ls")).exitCode === 4, {
      withinMs: 35_000,
    });
    expect((await typeWith(ROOT_KEY, "key", "ls")).stdout).not.toContain("reader");
    expect((await typeWith(ROOT_KEY, "key", "ls", "--all")).stdout).toContain("reader");
    expect((await typeWith(ROOT_KEY, "key", "revoke", "reader")).exitCode).toBe(5);
    expect((await typeWith(ROOT_KEY, "key", "revoke", UNKNOWN_ID)).exitCode).toBe(5);
  });

  it("of a viewer starts no worker, and says which role one needs", async ({ expect }) => {
    const key = await makeKey("looks-on", "--role", "viewer");
    expect((await typeWith(ROOT_KEY, "work-pool", "create", "watched")).exitCode).toBe(0);
    const { exitCode, stderr } = await typeWith(key, "worker", "start", "--pool", "watched");
    expect([exitCode, stderr]).toEqual([
      4,
      expect.stringContaining('A worker needs the role worker; the key "looks-on" has the role viewer.'),
    ]);
  });

  it("makes keys that expire", async ({ expect }) => {
    const key = await makeKey("short", "--role", "viewer", "--expires", "2s");
    const refused = await eventually("it is refused", async () => {
      const ended = await typeWith(key, "flow-run", "ls");
      return ended.exitCode === 4 ? ended : null;
    });
    expect(refused.stderr).toMatch(/refuses the API key[\s\S]*has expired/);
  });

  it.for([
    [["key", "create", "x"], "--role"],
    [["key", "create", "x", "--role", "king"], "viewer, worker, operator, admin"],
    [["key", "create", "x", "--role", "viewer", "--expires", "soon"], "30d"],
  ] as const)("refuses %j and says what to type", async ([words, hint], { expect }) => {
    const { exitCode, stderr } = await typeWith(ROOT_KEY, ...words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(hint);
  });

  it("needs an admin, and a server that is reached with a key at all", async ({ expect }) => {
    const operator = await makeKey("operator", "--role", "operator");
    expect((await typeWith(operator, "key", "create", "mine", "--role", "admin")).exitCode).toBe(4);
    expect((await typeWith("", "key", "ls")).exitCode).toBe(4);
  });
});
