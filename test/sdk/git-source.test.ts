/** Deployments from a git source: what is planned, and what cannot be. */
import { describe, it } from "vitest";
import { planDeployment } from "../../sdk/flow/deploy/deployment.ts";
import { flow, gitSource } from "../../sdk/index.ts";

const URL_OF_CODE = "https://github.com/me/flows";

describe("gitSource", () => {
  it("becomes the pull steps that workers of both kinds know", ({ expect }) => {
    const { pullSteps } = gitSource({
      url: URL_OF_CODE,
      branch: "main",
      commit: "abc123",
      submodules: true,
      credentials: { block: "secret/github-token" },
      setup: "npm ci",
    });
    expect(pullSteps).toEqual([
      {
        "prefect.deployments.steps.git_clone": {
          repository: URL_OF_CODE,
          branch: "main",
          commit_sha: "abc123",
          include_submodules: true,
          credentials: "{{ prefect.blocks.secret.github-token }}",
        },
      },
      { "prefect.deployments.steps.run_shell_script": { script: "npm ci" } },
    ]);
  });

  it("takes a token from the worker's environment", ({ expect }) => {
    const [step] = gitSource({ url: URL_OF_CODE, credentials: { environment: "GITHUB_TOKEN" } }).pullSteps;
    expect(Object.values(step ?? {})).toEqual([{ repository: URL_OF_CODE, credentials: "{{ $GITHUB_TOKEN }}" }]);
  });

  it.for<[what: string, options: object, reason: RegExp]>([
    ["no address", { url: "" }, /needs an address/],
    ["a password in the address", { url: "https://me:s3cret@host/x" }, /^(?!.*s3cret).*Save it as a block/],
    ["a token as such", { url: URL_OF_CODE, credentials: "s3cret" }, /^(?!.*s3cret).*never the token itself/],
    ["a block without a type", { url: URL_OF_CODE, credentials: { block: "s3cret" } }, /^(?!.*s3cret).*"type\/name"/],
    ["a branch that is an option of git", { url: URL_OF_CODE, branch: "--upload-pack=x" }, /"branch" is .* dash/],
  ])("refuses %s", ([, options, reason], { expect }) => {
    expect(() => gitSource(options as Parameters<typeof gitSource>[0])).toThrow(reason);
  });

  it("takes the place of this process's folder", ({ expect }) => {
    const made = flow({ name: "f" }, async () => 1);
    const base = { name: "d", workPool: "p", entrypoint: "flows/f.ts:made" };
    const source = gitSource({ url: URL_OF_CODE });
    expect(planDeployment(made, base).body).toMatchObject({ path: process.cwd(), pull_steps: null });
    expect(planDeployment(made, { ...base, source }).body).toMatchObject({ path: null, pull_steps: source.pullSteps });
    expect(planDeployment(made, { ...base, source, path: "packages/etl" }).body.path).toBe("packages/etl");
  });
});
