/** `sluice deployment limit`: how many runs of a deployment there are at the same time, by itself or with others. */
import { createClient } from "../../../client/api-client.ts";
import {
  type LimitOccupancy,
  readConcurrencyLimitHolders,
  readConcurrencyLimitV2,
} from "../../../protocol/concurrency-limits.ts";
import {
  type Deployment,
  type DeploymentUpdate,
  readDeployment,
  readDeploymentByName,
  updateDeployment,
} from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { CliError } from "../../errors.ts";
import type { Column } from "../../output.ts";
import { choice, flag, integer, text, type Values } from "../../parameters.ts";
import { span } from "../../span.ts";

const OPTIONS = {
  limit: integer("Runs at the same time, by a limit of the deployment's own.", { min: 1, short: "l" }),
  shared: text("A limit that others share, in place of one of its own.", { placeholder: "name" }),
  off: flag("Take the limit away; one that others share is only left."),
  collision: choice("What becomes of one more run: it waits, or is cancelled.", ["enqueue", "cancel-new"]),
  grace: span("For how long a run that was claimed keeps its slot until it runs, from 1m to 1d. Default: 5m."),
};

interface Shown {
  readonly deployment: Deployment;
  /** Null without a limit. */
  readonly occupancy: LimitOccupancy | null;
}

const FIELDS: readonly Column<Shown>[] = [
  { title: "Limit", value: ({ deployment: { global_concurrency_limit: limit } }) => limit?.limit },
  { title: "Name", value: ({ deployment: { global_concurrency_limit: limit } }) => limit?.name },
  {
    title: "Shared",
    value: ({ deployment }) => deployment.global_concurrency_limit && (isOwn(deployment) ? "no" : "yes"),
  },
  {
    title: "Active",
    value: ({ deployment: { global_concurrency_limit: limit } }) => limit && (limit.active ? "yes" : "no"),
  },
  { title: "In use", value: ({ occupancy }) => occupancy?.active_slots },
  { title: "Waiting", value: ({ occupancy }) => occupancy?.waiters.length },
  {
    title: "Collision",
    value: ({ deployment: { global_concurrency_limit: limit, concurrency_options: options } }) =>
      limit && (options?.collision_strategy ?? "ENQUEUE"),
  },
  {
    title: "Grace",
    value: ({ deployment: { global_concurrency_limit: limit, concurrency_options: options } }) =>
      limit && `${options?.grace_period_seconds ?? 300} s`,
  },
];

export const deploymentLimit = defineCommand({
  noun: "deployment",
  verb: "limit",
  summary: "Show or set how many runs of a deployment there are at the same time, by itself or with others.",
  arguments: { deployment: deploymentArgument() },
  options: OPTIONS,
  examples: [
    "sluice deployment limit etl/daily",
    "sluice deployment limit etl/daily --limit 2 --collision cancel-new",
    "sluice deployment limit etl/daily --shared database",
    "sluice deployment limit etl/daily --off",
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const before = await client.call(readDeploymentByName, { params: which });
    const { id } = before;
    const shared =
      options.shared === undefined
        ? null
        : await client.call(readConcurrencyLimitV2, { params: { id_or_name: options.shared } });
    const body = changeOf(before, options, `${which.flow}/${which.deployment}`, shared?.id ?? null);
    if (body !== null) await client.call(updateDeployment, { params: { id }, body });
    const deployment = body === null ? before : await client.call(readDeployment, { params: { id } });
    const { global_concurrency_limit: limit, concurrency_options } = deployment;
    const occupancy =
      limit === null ? null : await client.call(readConcurrencyLimitHolders, { params: { id_or_name: limit.id } });
    if (output.format === "json") {
      output.item({ global_concurrency_limit: limit, concurrency_options, ...occupancy }, []);
      return undefined;
    }
    output.item({ deployment, occupancy }, FIELDS);
    if (limit !== null) output.note(`\nSee who holds its slots, and who waits: sluice limit holders ${limit.name}`);
    return undefined;
  },
});

/** Null when nothing was said. Throws {@link CliError} for options that contradict, or would change what others share. */
function changeOf(
  before: Deployment,
  { limit, shared, off, collision, grace }: Values<typeof OPTIONS>,
  name: string,
  sharedId: string | null,
): DeploymentUpdate | null {
  const said = Object.entries({ limit, shared, off: off || undefined }).filter(([, value]) => value !== undefined);
  const [[first] = [], [second] = []] = said;
  if (first !== undefined && second !== undefined) {
    throw new CliError(`--${first} and --${second} each say what the limit is to be.`, { fix: "Give one of them." });
  }
  const known = before.global_concurrency_limit;
  if (limit !== undefined && known !== null && !isOwn(before)) {
    throw new CliError(`Its limit is "${known.name}", which others may share.`, {
      fix: `Change it for all with: sluice limit update ${known.name} --limit ${limit} — or leave it first: sluice deployment limit ${name} --off`,
    });
  }
  const speaksOfRuns = collision !== undefined || grace !== undefined;
  if (speaksOfRuns && (off || (known === null && first === undefined))) {
    throw new CliError("--collision and --grace say something about a limit that is not there.", {
      fix: "Give them together with --limit or --shared.",
    });
  }
  if (off) return { concurrency_limit: null, concurrency_options: null };
  if (first === undefined && !speaksOfRuns) return null;
  const options = before.concurrency_options;
  return {
    ...(limit === undefined ? {} : { concurrency_limit: limit }),
    ...(sharedId === null ? {} : { global_concurrency_limit_id: sharedId }),
    ...(speaksOfRuns
      ? {
          concurrency_options: {
            collision_strategy:
              collision === undefined ? (options?.collision_strategy ?? "ENQUEUE") : COLLISION[collision],
            grace_period_seconds: grace === undefined ? (options?.grace_period_seconds ?? null) : grace / 1_000,
          },
        }
      : {}),
  };
}

const COLLISION = { enqueue: "ENQUEUE", "cancel-new": "CANCEL_NEW" } as const;

/** A limit that was made for the deployment has its name. */
function isOwn({ id, global_concurrency_limit: limit }: Deployment): boolean {
  return limit?.name === `deployment:${id}`;
}
