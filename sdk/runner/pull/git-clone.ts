/** The pull step `git_clone`: a repository, at a branch or a commit, into a folder of the run. */
import { join } from "node:path";
import { CannotStartError } from "../cannot-start.ts";
import { type PullContext, textInput } from "./pull-context.ts";
import { runStepCommand } from "./step-command.ts";

/** Whom hosts expect a token to belong to. */
const TOKEN_USERS: readonly (readonly [RegExp, string])[] = [
  [/gitlab/, "oauth2"],
  [/bitbucket/, "x-token-auth"],
];
const TOKEN_USER = "x-access-token";

/**
 * Inputs: `repository`, and if need be `branch`, `commit_sha`, `include_submodules`, `clone_directory_name`,
 * `access_token` or `credentials` (a block with `token`, `password` or `access_token`, and perhaps `username`).
 * Answers the folder as `directory`.
 *
 * A credential is handed to git by the environment and for its host only: it stands in no command line and not in the
 * clone's configuration.
 */
export async function gitClone(inputs: Readonly<Record<string, unknown>>, context: PullContext) {
  const repository = textInput(inputs, "repository");
  if (repository === null)
    throw new CannotStartError('The pull step git_clone needs "repository": the address to clone.');
  const branch = textInput(inputs, "branch");
  const commit = textInput(inputs, "commit_sha");
  // A value that begins with a dash would be an option of git.
  for (const value of [repository, branch, commit]) {
    if (value?.startsWith("-"))
      throw new CannotStartError(`The pull step git_clone cannot use ${JSON.stringify(value)}.`);
  }
  const name = textInput(inputs, "clone_directory_name") ?? folderOf(repository, branch);
  const directory = join(context.directory, name);
  const env = { ...context.env, GIT_TERMINAL_PROMPT: "0", ...credentialEnvironment(repository, inputs) };
  const git = (...words: string[]) =>
    runStepCommand({ ...context, program: "git", words, cwd: context.directory, env });
  const depth = commit === null ? ["--depth", "1"] : [];
  const modules = inputs["include_submodules"] === true ? ["--recurse-submodules"] : [];
  const at = branch === null ? [] : ["--branch", branch];
  await git("clone", "--quiet", ...depth, ...modules, ...at, "--", repository, directory);
  if (commit !== null) await git("-C", directory, "checkout", "--quiet", "--detach", commit);
  return { directory };
}

function folderOf(repository: string, branch: string | null): string {
  const last = repository.replace(/\/+$/, "").split(/[/:]/).at(-1) ?? "";
  const name = last.replace(/\.git$/, "") || "code";
  return branch === null ? name : `${name}-${branch.replaceAll("/", "-")}`;
}

function credentialEnvironment(repository: string, inputs: Readonly<Record<string, unknown>>): NodeJS.ProcessEnv {
  const { user, token } = credentialOf(inputs);
  if (token === null) return {};
  if (!URL.canParse(repository) || !/^https?:$/.test(new URL(repository).protocol)) {
    throw new CannotStartError(
      `The pull step git_clone has a credential, which goes with an https address; the repository is ${repository}.`,
    );
  }
  const { origin, hostname } = new URL(repository);
  const owner = user ?? TOKEN_USERS.find(([host]) => host.test(hostname))?.[1] ?? TOKEN_USER;
  const basic = Buffer.from(`${owner}:${token}`).toString("base64");
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}

function credentialOf(inputs: Readonly<Record<string, unknown>>): { user: string | null; token: string | null } {
  const block = inputs["credentials"];
  const data = typeof block === "object" && block !== null ? (block as Record<string, unknown>) : {};
  const token =
    textInput(inputs, "access_token") ??
    textInput(data, "token") ??
    textInput(data, "password") ??
    textInput(data, "access_token") ??
    (typeof block === "string" && block !== "" ? block : null);
  return { user: textInput(data, "username"), token };
}
