/** `sluice deploy`: makes a deployment of the flow at an entrypoint. */
import { createClient } from "../../client/api-client.ts";
import { applyDeployment } from "../../flow/deploy/apply-deployment.ts";
import { planDeployment } from "../../flow/deploy/deployment.ts";
import { gitSource, type Source } from "../../flow/deploy/git-source.ts";
import { isFlow } from "../../flow/flow.ts";
import { ParameterError } from "../../flow/standard-schema.ts";
import { readDeployment } from "../../protocol/deployments.ts";
import { ON_LOST } from "../../protocol/flow-control.ts";
import { JsonObject } from "../../protocol/flow-runs.ts";
import { loadEntrypoint } from "../../runner/entrypoint.ts";
import { loadFromSource } from "../../runner/load-from-source.ts";
import { defineCommand } from "../command.ts";
import { CliError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { flowParameters } from "../flow-parameter.ts";
import { jobVariables } from "../job-variable.ts";
import { choice, flag, required, text } from "../parameters.ts";
import { POLICY, policyChangeOf, TIMING, timingIfSaid } from "../schedule-options.ts";

export const deploy = defineCommand({
  noun: "deploy",
  verb: null,
  summary: "Make or change a deployment of a flow.",
  arguments: {
    entrypoint: required(
      text("The flow: path/file.ts:exportName, from this folder or --path.", { placeholder: "entrypoint" }),
    ),
  },
  options: {
    name: required(text("Name of the deployment.", { placeholder: "name" })),
    pool: required(text("The work pool whose workers run it.", { placeholder: "name" })),
    queue: text("The queue of the pool.", { placeholder: "name" }),
    path: text("The folder of the code where its runs are executed.", { placeholder: "folder" }),
    url: text("Where its runs are pushed to, for http pools. Default: as the pool says.", { placeholder: "url" }),
    git: text("The repository that workers clone before each run.", { placeholder: "url" }),
    branch: text("Its branch or tag.", { placeholder: "name" }),
    commit: text("Its commit.", { placeholder: "hash" }),
    credentials: text("The block with a token for it: type/name.", { placeholder: "block" }),
    setup: text("What sh does in the clone, 'npm ci' for example.", { placeholder: "command" }),
    image: text("The container image, for pools that have one.", { placeholder: "image" }),
    jobVariable: jobVariables(),
    param: flowParameters(),
    paused: flag("Let its schedule rest."),
    onLost: choice("What becomes of a run whose process is lost: it ends Crashed, or is offered again.", ON_LOST),
    ...TIMING,
    ...POLICY,
  },
  examples: [
    "sluice deploy flows/etl.ts:etl --name daily --pool local --cron '0 6 * * *' --timezone Europe/London",
    "sluice deploy flows/etl.ts:etl --name daily --pool local --git https://github.com/me/flows --setup 'npm ci'",
    "sluice deploy flows/etl.ts:etl --name by-hand --pool local --param limit=10",
    `sluice deploy flows/etl.ts:etl --name daily --pool gpu --job-variable mem_limit=2g --job-variable 'env={"REGION":"eu"}'`,
  ],
  async run({ arguments: { entrypoint }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { name, pool, queue, path, image, param, paused } = options;
    const source = sourceOf(options);
    const variables = variablesOf(options);
    const schedule = timingIfSaid(options);
    const policy = policyChangeOf(options);
    const schedules = schedule === null ? [] : [{ schedule, ...(policy === null ? {} : { policy }) }];
    const flow =
      source === null
        ? await loadEntrypoint(entrypoint, path ?? process.cwd(), isFlow)
        : await loadFromSource(source, inFolder(entrypoint, path), client).catch(unfetched);
    const planned = planDeployment(flow, {
      name,
      workPool: pool,
      entrypoint,
      paused,
      parameters: JsonObject.parse(Object.fromEntries(param)),
      ...(options.onLost === undefined ? {} : { onLost: options.onLost }),
      ...(queue === undefined ? {} : { workQueue: queue }),
      ...(path === undefined ? {} : { path }),
      ...(image === undefined ? {} : { image }),
      jobVariables: variables,
      ...(source === null ? {} : { source }),
    });
    const id = await applyDeployment(client, { ...planned, body: { ...planned.body, schedules } }).catch(
      (error: Error) => {
        if (!(error instanceof ParameterError)) throw error;
        throw new CliError(error.message, {
          fix: "Give --param values that fit the schema of the flow.",
          cause: error,
        });
      },
    );
    const made = await client.call(readDeployment, { params: { id } });
    output.item(made, [
      { title: "ID", value: ({ id: known }) => known },
      { title: "DEPLOYMENT", value: () => `${flow.name}/${name}` },
      { title: "WORK POOL", value: ({ work_pool_name: known }) => known },
      { title: "SCHEDULES", value: ({ schedules: all }) => String(all.length) },
    ]);
    output.note(`\nRun it with: sluice deployment run ${flow.name}/${name}`);
    return undefined;
  },
});

interface SourceOptions {
  readonly git: string | undefined;
  readonly branch: string | undefined;
  readonly commit: string | undefined;
  readonly credentials: string | undefined;
  readonly setup: string | undefined;
}

interface VariableOptions {
  readonly image: string | undefined;
  readonly url: string | undefined;
  readonly jobVariable: readonly (readonly [name: string, value: unknown])[];
}

/** Throws {@link CliError} for a variable that an option of its own says as well. */
function variablesOf({ image, url, jobVariable }: VariableOptions): JsonObject {
  const variables = JsonObject.parse(Object.fromEntries(jobVariable));
  const twice = Object.entries({ image, url }).find(([name, value]) => value !== undefined && name in variables);
  if (twice !== undefined) {
    const [name] = twice;
    throw new CliError(`The job variable "${name}" is said twice.`, {
      fix: `Give one of --${name} and --job-variable ${name}=…`,
    });
  }
  return { ...variables, ...(url === undefined ? {} : { url }) };
}

/** What a step said that failed. What is wrong with the code itself says so by itself. */
function unfetched(error: Error): never {
  if ("fix" in error) throw error;
  throw new CliError(`The code cannot be fetched: ${error.message.replace(/\.$/, "")}.`, {
    fix: "Correct --git, --branch, --commit, --credentials or --setup: workers do the same before each run.",
    exitCode: EXIT.failed,
    cause: error,
  });
}

/** Null for code that is here. Throws {@link CliError} for options that mean nothing without a repository. */
function sourceOf({ git, branch, commit, credentials, setup }: SourceOptions): Source | null {
  if (git === undefined) {
    const given = Object.entries({ branch, commit, credentials, setup }).find(([, value]) => value !== undefined);
    if (given === undefined) return null;
    throw new CliError(`--${given[0]} says something about a repository, and none is named.`, {
      fix: "Name it: --git https://github.com/me/flows",
    });
  }
  try {
    return gitSource({
      url: git,
      ...(branch === undefined ? {} : { branch }),
      ...(commit === undefined ? {} : { commit }),
      ...(credentials === undefined ? {} : { credentials: { block: credentials as `${string}/${string}` } }),
      ...(setup === undefined ? {} : { setup }),
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError(error.message.replace(/\. .*$/s, "."), {
      fix: "Give the bare address with --git, and the block that holds its token with --credentials: secret/git-token.",
      cause: error,
    });
  }
}

/** An entrypoint from the root of the source. */
function inFolder(entrypoint: string, folder: string | undefined): string {
  return folder === undefined ? entrypoint : `${folder.replace(/\/+$/, "")}/${entrypoint}`;
}
