/** The commands that change what is there, against a real server; typed in this process, which is quicker. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { runCli } from "../../sdk/cli/run-cli.ts";
import type { FlowRun } from "../../sdk/protocol/flow-runs.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Ended, sluice } from "../support/sluice.ts";
import { giveUp } from "../ui/dead-letter.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

let server: TestServer;
let plane: ControlPlane;
let waiting: FlowRun;
const folder = mkdtempSync(join(tmpdir(), "sluice-changes-"));

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  await plane.pool("typed");
  for (const name of ["first", "second"]) await plane.deploy("examples/hello.ts:hello", "typed", { name });
  waiting = await plane.trigger(await plane.deploy("examples/hello.ts:hello", "typed", { name: "waiting" }));
  await server.kill("SIGTERM");
  giveUp(server.dataDir, { flow_run_id: waiting.id });
  await server.restart();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
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
    expect(made).toMatchObject({
      max_body_bytes: 1_000,
      tags: ["a"],
      replay_window_seconds: 60,
      idempotency_key: null,
    });
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

describe("sluice work-pool", () => {
  interface Template {
    readonly job_configuration: Record<string, unknown>;
    readonly variables: { readonly properties: Record<string, unknown> };
  }
  const templateOf = (pool: string) => typeForJson<Template>("work-pool", "inspect", pool, "--template");
  const written = (content: string): string => {
    const file = join(folder, `${content.length}.json`);
    writeFileSync(file, content);
    return file;
  };

  it("inspect --template, an editor and update change the template of a pool", async ({ expect }) => {
    await type("work-pool", "create", "edited", "--type", "docker");
    const printed = await type("work-pool", "inspect", "edited", "--template");
    // Its type's, while it has none of its own.
    const template: Template = JSON.parse(printed.stdout);
    expect(template.variables.properties).toHaveProperty("image");
    const edited = {
      job_configuration: { ...template.job_configuration, labels: { team: "{{ team }}" } },
      variables: { ...template.variables, properties: { ...template.variables.properties, team: { type: "string" } } },
    };
    const file = written(JSON.stringify(edited));
    expect((await type("work-pool", "update", "edited", "--base-job-template", file)).exitCode).toBe(0);
    expect(await templateOf("edited")).toEqual(edited);
    await type("work-pool", "create", "copied", "--type", "docker", "--base-job-template", file);
    expect(await templateOf("copied")).toEqual(edited);
    await type("work-pool", "update", "copied", "--description", "the same");
    expect(await templateOf("copied")).toEqual(edited);
  });

  it("create puts the URL of an http pool into the template that it is given", async ({ expect }) => {
    await type("work-pool", "create", "one-target", "--type", "http", "--url", "http://127.0.0.1:1/one");
    const file = written(JSON.stringify(await templateOf("one-target")));
    const made = ["--type", "http", "--url", "http://127.0.0.1:1/other", "--base-job-template", file];
    expect((await type("work-pool", "create", "other-target", ...made)).exitCode).toBe(0);
    const urlOf = async (pool: string) => (await templateOf(pool)).variables.properties["url"];
    expect(await urlOf("one-target")).toMatchObject({ default: "http://127.0.0.1:1/one" });
    expect(await urlOf("other-target")).toMatchObject({ default: "http://127.0.0.1:1/other" });
  });

  it.for([
    ["", "holds no JSON: it is empty"],
    ['{"variables": ', "holds no JSON: "],
    ["[]", "expected record"],
    ['{"variables": {}}', "`job_configuration` is missing"],
    [
      '{"job_configuration": {"image": "{{ image }} {{ tag }}"}, "variables": {"properties": {"image": {}}}}',
      "undeclared variable(s): tag",
    ],
  ] as const)("takes no template from a file with %j", async ([content, said], { expect }) => {
    const file = written(content);
    for (const words of [
      ["create", "broken"],
      ["update", "typed"],
    ]) {
      const { exitCode, stderr } = await type("work-pool", ...words, "--base-job-template", file);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)]);
      expect(stderr).toMatch(/→ .*inspect NAME --template/);
    }
    expect((await type("work-pool", "inspect", "broken")).exitCode).toBe(5);
  });

  it("reads standard input for -, and says which file is not there", async ({ expect }) => {
    const env = { SLUICE_API_URL: server.apiUrl };
    const { exitCode, stderr } = await sluice(["work-pool", "update", "typed", "--base-job-template", "-"], { env });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Standard input holds no JSON: it is empty.")]);
    const nowhere = await type("work-pool", "update", "typed", "--base-job-template", join(folder, "nowhere.json"));
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([2, expect.stringMatching(/no file .*nowhere\.json/)]);
  });

  it("secret changes what pushes are signed with, and shows only what it made", async ({ expect }) => {
    await type("work-pool", "create", "signing", "--type", "http", "--url", "http://127.0.0.1:1");
    const given = Buffer.alloc(24, 7).toString("base64");
    const made = await typeForJson<{ secret: string }>("work-pool", "secret", "signing");
    expect(made).toMatchObject({ name: "signing", secrets: 1, secret: expect.stringMatching(/.{32}/) });
    const two = await type("work-pool", "secret", "signing", "--secret", given, "--secret", made.secret);
    expect(two.stdout).toMatch(/SECRETS +2\nSECRET +as given/);
    expect(two.stdout).not.toContain(given);
    expect((await type("work-pool", "secret", "signing", "--secret", "short")).stderr).toMatch(
      /secrets\.0: must be 24 bytes/,
    );
    expect((await type("work-pool", "secret", "nobody")).exitCode).toBe(5);
  });
});

describe("sluice deployment", () => {
  const run = (...words: string[]) => typeForJson<FlowRun>("deployment", "run", "e2e/first", ...words);

  it("run --start-at and --start-in make a run that waits until then", async ({ expect }) => {
    const at = await run("--start-at", "2099-12-24T18:00:00+01:00", "--tag", "a", "--tag", "b");
    expect(at).toMatchObject({ state_type: "SCHEDULED", tags: ["a", "b"] });
    expect(at.expected_start_time).toBe("2099-12-24T17:00:00.000000Z");
    for (const [span, seconds] of [
      ["10m", 600],
      ["1h 30m", 5_400],
      ["01:00:00", 3_600],
      ["PT15M", 900],
      ["90", 90],
    ] as const) {
      const before = Date.now();
      const { expected_start_time: due } = await run("--start-in", span);
      const late = Date.parse(due ?? "") - before - seconds * 1_000;
      expect([span, late >= 0 && late < 20_000]).toEqual([span, true]);
    }
    const why = await type("flow-run", "why", at.id);
    expect([why.exitCode, why.stdout]).toEqual([
      0,
      expect.stringMatching(/^It is scheduled for 2099-12-24T17:00:00\.0+Z\.\n$/),
    ]);
  });

  it("run with a key that is known shows the run that has it", async ({ expect }) => {
    const first = await run("--start-in", "1h", "--idempotency-key", "order-7", "--job-variable", 'env={"A":"1"}');
    expect(first).toMatchObject({ idempotency_key: "order-7", job_variables: { env: { A: "1" } } });
    expect((await run("--idempotency-key", "order-7")).id).toBe(first.id);
    expect((await run("--start-in", "1h", "--idempotency-key", "order-8")).id).not.toBe(first.id);
  });

  it.for([
    [["--start-in", "1h", "--start-at", "2099-01-01T00:00:00Z"], "said twice"],
    [["--start-in", "soon"], "not a span: write 10m"],
    [["--start-in", "99999999999d"], "more than a hundred years"],
    [["--start-at", "tomorrow"], "not a time in ISO 8601"],
    [["--job-variable", "env"], "not of the form name=value"],
  ] as const)("run refuses %j", async ([words, said], { expect }) => {
    const { exitCode, stderr } = await type("deployment", "run", "e2e/first", ...words);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)]);
  });

  it("pause takes the runs ahead away, and resume makes them again", async ({ expect }) => {
    await type("schedule", "create", "e2e/second", "--cron", "0 6 * * *");
    const ahead = async () =>
      (await typeForJson<FlowRun[]>("flow-run", "ls", "--state", "scheduled")).filter(({ tags }) =>
        tags.includes("auto-scheduled"),
      ).length;
    expect(await ahead()).toBeGreaterThanOrEqual(3);
    expect((await type("deployment", "pause", "e2e/second")).stdout).toMatch(/^Deployment "e2e\/second" rests/);
    expect([await ahead(), (await typeForJson("deployment", "inspect", "e2e/second"))["paused"]]).toEqual([0, true]);
    expect((await type("deployment", "resume", "e2e/second")).stdout).toBe('Deployment "e2e/second" goes on.\n');
    expect(await ahead()).toBeGreaterThanOrEqual(3);
    expect((await type("deployment", "pause", "e2e/nobody")).exitCode).toBe(5);
    expect((await type("deployment", "resume", "e2e/nobody")).exitCode).toBe(5);
  });

  it("flow-control --time-to-live says how long runs may wait, and 0 for ever", async ({ expect }) => {
    const control = (...words: string[]) => typeForJson("deployment", "flow-control", "e2e/first", ...words);
    expect(await control("--time-to-live", "600")).toMatchObject({ time_to_live_seconds: 600 });
    expect((await type("deployment", "flow-control", "e2e/first")).stdout).toMatch(/Time to live +600 s/);
    const { id } = await run();
    expect((await type("flow-run", "why", id)).stdout).toMatch(
      /^No worker .*\nIt is number \d+ in line .*\nIt ends Cancelled unless .*\n$/,
    );
    expect(await control("--on-lost", "retry")).toMatchObject({ time_to_live_seconds: 600, on_lost: "retry" });
    expect(await control("--time-to-live", "0")).toMatchObject({ time_to_live_seconds: null, on_lost: "retry" });
  });

  it("deploy takes variables of the pool's jobs, and none twice", async ({ expect }) => {
    const words = ["deploy", "examples/hello.ts:hello", "--name", "with-variables", "--pool", "typed"];
    const env = { SLUICE_API_URL: server.apiUrl };
    const variables = ["--job-variable", 'env={"REGION":"eu"}', "--job-variable", "mem_limit=2g"];
    const made = await sluice([...words, ...variables, "--url", "http://127.0.0.1:1", "--output", "json"], { env });
    expect(JSON.parse(made.stdout)).toMatchObject({
      job_variables: { env: { REGION: "eu" }, mem_limit: "2g", url: "http://127.0.0.1:1" },
    });
    const twice = await sluice([...words, "--image", "a", "--job-variable", "image=b"], { env });
    expect([twice.exitCode, twice.stderr]).toEqual([2, expect.stringContaining('"image" is said twice')]);
  });
});

describe("sluice dead-letter", () => {
  it("ls lists what was given up, and replay sends it again, once", async ({ expect }) => {
    const listed = await type("dead-letter", "ls");
    expect(listed.stdout).toMatch(/^ID +QUEUE +SENT +ATTEMPTS +MESSAGE\ngiven-up +dispatch +\S+Z +9 +{"flow_run_id":/);
    expect(listed.stdout).toContain(waiting.id);
    expect((await type("dead-letter", "replay", "given-up")).stdout).toBe(
      'The message was sent to queue "dispatch" again.\n',
    );
    expect(await typeForJson("dead-letter", "ls")).toEqual([]);
    expect((await type("dead-letter", "ls")).stdout).toBe("No message was given up.\n");
    const again = await type("dead-letter", "replay", "given-up");
    expect([again.exitCode, again.stderr]).toEqual([5, expect.stringContaining("given-up")]);
  });
});
