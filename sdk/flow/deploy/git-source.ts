/** Code in a git repository, which workers clone anew for each run. */
import type { JsonObject } from "../../protocol/flow-runs.ts";

/** A repository, and what of it. */
export interface GitSourceOptions {
  /** Its address as `git clone` takes it. Credentials do not belong into it. */
  readonly url: string;
  /** A branch or a tag. Default: the one that the repository names. */
  readonly branch?: string;
  /** A commit, by its hash; of any branch unless one is named. Default: the newest of the branch. */
  readonly commit?: string;
  /**
   * Where workers find a token for an https address: a block, as `{ block: "secret/github-token" }`, whose value is the token or which has a
   * `token`, `password` or `access_token` and perhaps a `username`; or a variable of the worker's environment, as
   * `{ environment: "GITHUB_TOKEN" }`. Default: none is sent.
   */
  readonly credentials?: { readonly block: `${string}/${string}` } | { readonly environment: string };
  /** Whether submodules are cloned, too. Default false. */
  readonly submodules?: boolean;
  /** A command of `sh` for the clone, `npm ci` for example: the packages that the code imports have to be there. */
  readonly setup?: string;
}

/** Where the code of a deployment comes from. Made by {@link gitSource}. */
export interface Source {
  /** What a worker does before each run. */
  readonly pullSteps: readonly JsonObject[];
}

/** Names a repository as the source of a deployment. Throws TypeError for what cannot be one. Nothing is cloned yet. */
export function gitSource(options: GitSourceOptions): Source {
  const { url, branch, commit, credentials, submodules, setup } = options;
  if (!url) throw new TypeError('gitSource() needs an address: gitSource({ url: "https://…" }).');
  if (URL.canParse(url) && new URL(url).password !== "") {
    throw new TypeError(
      'The url of gitSource() contains a password, which everyone would see who may see deployments. Save it as a block, secret.save("git-token", …), and give gitSource({ url, credentials: { block: "secret/git-token" } }).',
    );
  }
  for (const [option, value] of Object.entries({ url, branch, commit })) {
    if (value?.startsWith("-"))
      throw new TypeError(`gitSource() option "${option}" is "${value}": it begins with a dash.`);
  }
  const clone = {
    repository: url,
    ...(branch === undefined ? {} : { branch }),
    ...(commit === undefined ? {} : { commit_sha: commit }),
    ...(submodules ? { include_submodules: true } : {}),
    ...(credentials === undefined ? {} : { credentials: placeholderOf(credentials) }),
  };
  const step = "prefect.deployments.steps.";
  return {
    pullSteps: [
      { [`${step}git_clone`]: clone },
      ...(setup === undefined ? [] : [{ [`${step}run_shell_script`]: { script: setup } }]),
    ],
  };
}

function placeholderOf(credentials: NonNullable<GitSourceOptions["credentials"]>): string {
  if (typeof credentials === "object" && "environment" in credentials && /^\w+$/.test(credentials.environment)) {
    return `{{ $${credentials.environment} }}`;
  }
  if (typeof credentials === "object" && "block" in credentials && /^[\w-]+\/[\w-]+$/.test(credentials.block)) {
    return `{{ prefect.blocks.${credentials.block.replace("/", ".")} }}`;
  }
  // What was given is not shown: it may be the token itself.
  throw new TypeError(
    'The credentials of gitSource() are { block: "type/name" } or { environment: "NAME" }, never the token itself.',
  );
}
