/** A flow of a git repository: deployed by a program and by the CLI, and run by a worker that clones it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import { flow, gitSource } from "../../sdk/index.ts";
import { readDeployment, readDeploymentByName } from "../../sdk/protocol/deployments.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

const SDK = new URL("../../sdk/index.ts", import.meta.url).href;
const ENTRYPOINT = "flows/hello.ts:hello";

const folder = mkdtempSync(join(tmpdir(), "sluice-git-"));
const work = join(folder, "work");
/** A bare repository, as a host of repositories has it. */
const url = `file://${join(folder, "origin.git")}`;
let server: TestServer;
let plane: ControlPlane;
let first = "";

function git(...words: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  return execFileSync("git", ["-C", work, ...identity, ...words], { encoding: "utf8" }).trim();
}

/** Commits a flow that greets; the clone's setup makes the module that it imports. */
function commit(greeting: string): string {
  const source = `
    import { flow, logger } from ${JSON.stringify(SDK)};
    import { name } from "./made-by-setup.ts";
    export const hello = flow({ name: "hello-from-git" }, async () => logger().info(\`${greeting}, \${name}\`));
  `;
  mkdirSync(join(work, "flows"), { recursive: true });
  writeFileSync(join(work, "flows/hello.ts"), source);
  git("add", ".");
  git("commit", "--quiet", "-m", greeting);
  git("push", "--quiet", "origin", "main");
  return git("rev-parse", "HEAD");
}

beforeAll(async () => {
  mkdirSync(work);
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", join(folder, "origin.git")]);
  git("init", "--quiet", "--initial-branch=main");
  git("remote", "add", "origin", url);
  first = commit("Hello");
  commit("Good day");
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  await plane.pool("git");
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const setup = `echo 'export const name = "clone";' > flows/made-by-setup.ts`;

describe("a deployment from a git source", () => {
  it("runs the newest code of its branch, or the commit that it names", async ({ expect }) => {
    const restore = configure({ apiUrl: server.apiUrl });
    try {
      await using _worker = await startWorker({ apiUrl: server.apiUrl, pool: "git" });
      for (const [commit, greeting] of [
        [undefined, "Good day, clone"],
        [first, "Hello, clone"],
      ]) {
        const source = gitSource({ url, setup, ...(commit ? { commit } : { branch: "main" }) });
        const sourced = await flow.from({ source, entrypoint: ENTRYPOINT });
        expect(sourced.name).toBe("hello-from-git");
        const id = await sourced.deploy({ name: "now", workPool: "git" });
        const run = await plane.ends((await plane.trigger(id)).id);
        expect(run.state?.message ?? run.state_name).toBe("Completed");
        expect((await plane.logs(run.id)).map(({ message }) => message)).toContain(greeting);
      }
    } finally {
      restore();
    }
  });

  it("is also made by sluice deploy --git", async ({ expect }) => {
    const words = ["deploy", ENTRYPOINT, "--name", "typed", "--pool", "git", "--git", url, "--setup", setup];
    const env = { SLUICE_API_URL: server.apiUrl };
    expect(await sluice([...words, "--branch", "main"], { env })).toMatchObject({
      exitCode: 0,
      stderr: expect.any(String),
    });
    const params = { flow: "hello-from-git", deployment: "typed" };
    const { id } = await plane.client.call(readDeploymentByName, { params });
    const made = await plane.client.call(readDeployment, { params: { id } });
    expect(made).toMatchObject({
      path: null,
      entrypoint: ENTRYPOINT,
      pull_steps: gitSource({ url, branch: "main", setup }).pullSteps,
    });

    const lost = await sluice(["deploy", "flows/none.ts:x", ...words.slice(2)], { env });
    expect([lost.exitCode, lost.stderr]).toEqual([1, expect.stringMatching(/There is no file .*flows\/none.ts/)]);
    const nothing = await sluice(["deploy", ENTRYPOINT, "--name", "x", "--pool", "git", "--branch", "main"], { env });
    expect(nothing.stderr).toContain("--branch says something about a repository, and none is named.");
    const token = await sluice([...words, "--credentials", "ghp_s3cret"], { env });
    expect(token.stderr).toContain("never the token itself");
    expect(token.stderr).not.toContain("s3cret");
  });
});
