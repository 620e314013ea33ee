/** The commands that change what is there, against a real server; typed in this process, which is quicker. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { runCli } from "../../sdk/cli/run-cli.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import type { Ended } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

let server: TestServer;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  await plane.pool("typed");
  for (const name of ["first", "second"]) await plane.deploy("examples/hello.ts:hello", "typed", { name });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function type(...words: string[]): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  const streams = {
    out: (chunk: string) => {
      written.stdout += chunk;
    },
    err: (chunk: string) => {
      written.stderr += chunk;
    },
  };
  const exitCode = await runCli({ words, environment: { SLUICE_API_URL: server.apiUrl }, streams });
  return { exitCode, ...written };
}

async function typeForJson<T = Record<string, unknown>>(...words: string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await type(...words, "--output", "json");
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

describe("sluice webhook", () => {
  it("update changes what is said, leaves the rest, and takes away what '' stands for", async ({ expect }) => {
    const made = await typeForJson(
      ...["webhook", "create", "e2e/first", "--verify", "github", "--secret", "s", "--slug", "changed"],
      ...["--tag", "a", "--window", "60", "--max-body", "1000"],
    );
    expect(made).toMatchObject({ max_body_bytes: 1_000, tags: ["a"], replay_window_seconds: 60, idempotency_key: null });
    const change = (...words: string[]) => typeForJson("webhook", "update", "changed", ...words);
    const second = await typeForJson("deployment", "inspect", "e2e/second");
    const said = { parameters: { name: "{{ body.id }}" }, idempotency_key: "{{ body.id }}", tags: ["b", "c"] };
    const changed = await change(
      ...["--parameters", JSON.stringify(said.parameters), "--key", said.idempotency_key, "--tag", "b", "--tag", "c"],
      ...["--deployment", "e2e/second", "--off"],
    );
    const also = { deployment_id: second["id"], active: false, updated: changed["updated"] };
    expect(changed).toEqual({ ...made, ...said, ...also });
    expect(await change("--max-body", "2000", "--window", "90", "--on")).toMatchObject({
      ...said,
      ...{ max_body_bytes: 2_000, replay_window_seconds: 90, active: true },
    });
    expect(await change("--key", "", "--tag", "")).toMatchObject({ idempotency_key: null, tags: [] });
  });

  it("update changes how a sender signs, part by part", async ({ expect }) => {
    await type("webhook", "create", "e2e/first", "--verify", "github", "--secret", "s", "--slug", "signed");
    const change = async (...words: string[]) =>
      (await typeForJson<{ verification: unknown }>("webhook", "update", "signed", ...words)).verification;
    const hmac = { type: "hmac", header: "x-proof", algorithm: "sha256", encoding: "base64", prefix: "" };
    expect(await change("--verify", "hmac", "--header", "X-Proof", "--encoding", "base64")).toEqual({
      ...hmac,
      timestamp_header: null,
    });
    const timed = { ...hmac, prefix: "v1=", timestamp_header: "x-time" };
    expect(await change("--prefix", "v1=", "--timestamp-header", "x-time")).toEqual(timed);
    expect(await change("--verify", "hmac", "--algorithm", "sha1")).toEqual({ ...timed, algorithm: "sha1" });
    expect((await type("webhook", "inspect", "signed")).stdout).toMatch(
      /Verification +hmac: sha1 in base64 after v1= in x-proof, the time in x-time\nSecrets +1\n[\s\S]*Body +262144 bytes at most/,
    );
    expect(await change("--timestamp-header", "")).toMatchObject({ timestamp_header: null });
    expect(await change("--verify", "none")).toEqual({ type: "none" });
    expect((await type("webhook", "inspect", "nobody")).exitCode).toBe(5);
  });

  it.for([
    [["--header", "x-proof"], "--header is of verification by hmac, and this is by github"],
    [["--verify", "hmac"], "needs to know the header"],
    [["--on", "--off"], "either on or off"],
    [["--parameters", "[1]"], "no JSON object"],
    [["--max-body", "1000001"], "from 1 to 1000000"],
    [["--deployment", "second"], "not of the form flow/deployment"],
  ] as const)("update refuses %j and changes nothing", async ([words, said], { expect }) => {
    const slug = `refusing-${said.length}`;
    const made = await typeForJson(
      ...["webhook", "create", "e2e/first", "--verify", "github", "--secret", "s", "--slug", slug],
    );
    const { exitCode, stderr } = await type("webhook", "update", slug, "--tag", "t", ...words);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(await typeForJson("webhook", "inspect", slug)).toEqual(made);
  });
});
