/** Pull steps against a real git repository and a server that speaks as S3 does and checks each signature. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import type { JsonObject } from "../../../sdk/protocol/flow-runs.ts";
import { runPullSteps } from "../../../sdk/runner/pull/pull-steps.ts";
import { KNOWN, s3Server } from "../../support/s3-server.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-pull-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing is asked of the control plane: there are no references in these steps. */
const client = createClient({ url: "http://127.0.0.1:1/api", key: null });

function pull(
  steps: readonly JsonObject[],
  lines: string[] = [],
  signal = new AbortController().signal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const directory = join(folder, "run");
  mkdirSync(directory, { recursive: true });
  return runPullSteps(steps, client, { directory, env, signal, onLine: (line) => void lines.push(line) });
}

/** A program in place of git, which only says how it was called. */
async function calledGit(inputs: JsonObject): Promise<{ words: string; config: string; header: string }> {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const script = '#!/bin/sh\necho "$@"\necho "$GIT_CONFIG_KEY_0"\necho "$GIT_CONFIG_VALUE_0"\n';
  writeFileSync(join(bin, "git"), script, { mode: 0o755 });
  const lines: string[] = [];
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  await pull([{ git_clone: inputs }], lines, new AbortController().signal, env);
  const [words = "", config = "", header = ""] = lines;
  const [, basic = ""] = header.split("Basic ");
  return { words, config, header: Buffer.from(basic, "base64").toString() };
}

function git(...words: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  return execFileSync("git", ["-C", join(folder, "origin"), ...identity, ...words], { encoding: "utf8" }).trim();
}

function repository(): string {
  const path = join(folder, "origin");
  mkdirSync(path);
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(path, "flow.ts"), "// first");
  git("add", ".");
  git("commit", "--quiet", "-m", "first");
  return `file://${path}`;
}

describe("git_clone", () => {
  it("brings a repository, which is then the working directory", async ({ expect }) => {
    const directory = await pull([{ "prefect.deployments.steps.git_clone": { repository: repository() } }]);
    expect(directory).toBe(join(folder, "run", "origin"));
    expect(readFileSync(join(directory, "flow.ts"), "utf8")).toBe("// first");
  });

  it("brings a branch, or a commit", async ({ expect }) => {
    const address = repository();
    const first = git("rev-parse", "HEAD");
    git("checkout", "--quiet", "-b", "feature/x");
    writeFileSync(join(folder, "origin", "flow.ts"), "// second");
    git("commit", "--quiet", "-am", "second");
    const branch = await pull([{ git_clone: { repository: address, branch: "feature/x" } }]);
    expect(branch).toBe(join(folder, "run", "origin-feature-x"));
    expect(readFileSync(join(branch, "flow.ts"), "utf8")).toBe("// second");
    const commit = await pull([{ git_clone: { repository: address, commit_sha: first } }]);
    expect(readFileSync(join(commit, "flow.ts"), "utf8")).toBe("// first");
  });

  it("hands a credential to the host and leaves it in no file", async ({ expect }) => {
    const asked: (string | undefined)[] = [];
    await using server = await serve((request) => {
      asked.push(request.headers.authorization);
      return { status: 404, body: "" };
    });
    const repository = `${server.origin}/code.git`;
    const failed = pull([{ git_clone: { repository, credentials: { token: "s3cret" } } }]);
    await expect(failed).rejects.toThrow(/git ended with code 128/);
    await expect(failed).rejects.not.toThrow(/s3cret/);
    expect(asked[0]).toBe(`Basic ${Buffer.from("x-access-token:s3cret").toString("base64")}`);
  });

  it.for<[what: string, repository: string, inputs: JsonObject, header: string]>([
    ["a token alone", "https://example.com/a/b.git", { access_token: "t" }, "x-access-token:t"],
    ["a token of GitLab", "https://gitlab.example.com/a/b.git", { access_token: "t" }, "oauth2:t"],
    ["a block", "https://example.com/a/b.git", { credentials: { username: "ada", password: "p" } }, "ada:p"],
    ["nothing", "https://example.com/a/b.git", {}, ""],
  ])("hands %s to that host alone", async ([, repository, inputs, header], { expect }) => {
    const called = await calledGit({ repository, ...inputs });
    expect(called.header).toBe(header);
    expect(called.config).toBe(header === "" ? "" : `http.${new URL(repository).origin}/.extraHeader`);
    expect(called.words).not.toContain(header || "Basic");
  });

  it("fetches what is needed: no history, and modules where they are wanted", async ({ expect }) => {
    const repository = "https://example.com/a/b.git";
    const clone = async (inputs: JsonObject): Promise<string> => (await calledGit({ repository, ...inputs })).words;
    expect(await clone({})).toBe(`clone --quiet --depth 1 -- ${repository} ${join(folder, "run", "b")}`);
    expect(await clone({ include_submodules: true })).toContain("--depth 1 --recurse-submodules --");
    expect(await clone({ commit_sha: "abc" })).not.toContain("--depth");
  });

  it.for([
    [{}, /needs "repository"/],
    [{ repository: "--upload-pack=touch x" }, /cannot use/],
    [{ repository: "https://example.com/x", branch: "-x" }, /cannot use/],
    [{ repository: "git@example.com:x.git", access_token: "t" }, /goes with an https address/],
  ] as const)("with %j is refused", async ([inputs, reason], { expect }) => {
    await expect(pull([{ git_clone: inputs }])).rejects.toThrow(reason);
  });
});

describe("pull steps", () => {
  it("hand what they answer to the later ones", async ({ expect }) => {
    const directory = await pull([
      { git_clone: { id: "code", repository: repository() } },
      { run_shell_script: { id: "name", script: "echo made", directory: "{{ code.directory }}" } },
      { run_shell_script: { script: "mkdir {{ name.stdout }} && echo {{ other }} > {{ name.stdout }}/text" } },
      { set_working_directory: { directory: "made" } },
    ]);
    expect(directory).toBe(join(folder, "run", "origin", "made"));
    expect(readFileSync(join(directory, "text"), "utf8")).toBe("{{ other }}\n");
  });

  it("that are not known are named, with those that are", async ({ expect }) => {
    await expect(pull([{ "my.steps.teleport": {} }])).rejects.toThrow(/"my.steps.teleport" is not one.*git_clone/);
  });

  it("stop at a line of a script that fails, with what it said", async ({ expect }) => {
    const lines: string[] = [];
    const failed = pull([{ run_shell_script: { script: "echo one\necho oh >&2\nfalse\necho two" } }], lines);
    await expect(failed).rejects.toThrow("sh ended with code 1: oh");
    expect(lines.sort()).toEqual(["oh", "one"]);
  });

  it("end when the run is ended", async ({ expect }) => {
    const ending = new AbortController();
    const started = pull([{ run_shell_script: { script: "echo begun; sleep 60" } }], [], ending.signal);
    setTimeout(() => ending.abort(), 100);
    await expect(started).rejects.toThrow(/ended while its code was fetched/);
  });
});

describe("pull_from_s3", () => {
  const credentials = {
    aws_access_key_id: KNOWN.accessKeyId,
    aws_secret_access_key: KNOWN.secretAccessKey,
    region_name: KNOWN.region,
  };

  it("brings all objects below a folder, page by page, and asks again after a 503", async ({ expect }) => {
    await using server = await s3Server("bucket");
    server.pageSize = 2;
    for (const [key, text] of Object.entries({ "flows/": "", "flows/a.ts": "a", "flows/sub/b & c.ts": "b", other: "" }))
      server.objects.set(`bucket/${key}`, Buffer.from(text));
    server.failNext({ status: 503, code: "SlowDown" });
    const inputs = {
      bucket: "bucket",
      folder: "flows",
      credentials,
      client_parameters: { endpoint_url: server.origin },
    };
    const directory = await pull([{ "prefect_aws.deployments.steps.pull_from_s3": inputs }]);
    expect(readFileSync(join(directory, "a.ts"), "utf8")).toBe("a");
    expect(readFileSync(join(directory, "sub", "b & c.ts"), "utf8")).toBe("b");
    const wrong = { ...inputs, credentials: { ...credentials, aws_secret_access_key: "other" } };
    await expect(pull([{ pull_from_s3: wrong }])).rejects.toThrow(/answered 403 \(SignatureDoesNotMatch\)/);
  });

  it("refuses a key that leads out of the folder", async ({ expect }) => {
    await using server = await s3Server("b");
    server.objects.set("b/../../evil", new Uint8Array());
    const inputs = { bucket: "b", credentials, endpoint_url: server.origin };
    await expect(pull([{ pull_from_r2: inputs }])).rejects.toThrow(/leads out of the folder/);
  });
});

async function serve(answer: (request: IncomingMessage) => { readonly status: number; readonly body: string }) {
  const server = createServer((request, response) => {
    const { status, body } = answer(request);
    response.writeHead(status, { "www-authenticate": "Basic" }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
