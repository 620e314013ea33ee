/**
 * Pull steps of a deployment: how its code comes to the worker's machine. Prefect's names for them are understood, with
 * any package before them. Each step's answer is at hand for the later ones, as `{{ id.key }}` and `{{ key }}`.
 */
import { resolve } from "node:path";
import type { ApiClient } from "../../client/index.ts";
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { CannotStartError } from "../cannot-start.ts";
import { at, fillPlaceholders } from "../template/placeholders.ts";
import { resolveReferences } from "../template/references.ts";
import { gitClone } from "./git-clone.ts";
import { type PullContext, textInput } from "./pull-context.ts";
import { pullFromS3 } from "./pull-from-s3.ts";
import { runShellScript } from "./run-shell-script.ts";

type Step = (inputs: Readonly<Record<string, unknown>>, context: PullContext) => Promise<object>;

const STEPS: Readonly<Record<string, Step>> = {
  set_working_directory: async (inputs, { directory }) => {
    const given = textInput(inputs, "directory");
    if (given === null) throw new CannotStartError('The pull step set_working_directory needs "directory".');
    return { directory: resolve(directory, given) };
  },
  git_clone: gitClone,
  run_shell_script: runShellScript,
  pull_from_s3: pullFromS3,
  pull_from_r2: pullFromS3,
};

/** Whether the steps bring code, and so need a folder of the run's own. */
export function bringsCode(steps: readonly JsonObject[]): boolean {
  return steps.some((step) => Object.keys(step).some((name) => shortName(name) !== "set_working_directory"));
}

/**
 * Does the steps in their order, the first one in `context.directory`, and answers the folder that the last step with a
 * `directory` in its answer names. Throws {@link CannotStartError} for a step that is not known or not fully told,
 * and what a step's program said when it failed.
 */
export async function runPullSteps(
  steps: readonly JsonObject[],
  client: ApiClient,
  context: PullContext,
): Promise<string> {
  let directory = context.directory;
  const answers: Record<string, unknown> = {};
  for (const step of steps) {
    for (const [name, given] of Object.entries(step)) {
      const perform = STEPS[shortName(name)];
      if (perform === undefined) {
        throw new CannotStartError(
          `The deployment's pull step "${name}" is not one that this worker can do. It can do ${Object.keys(STEPS).join(", ")}.`,
        );
      }
      const inputs = await inputsOf(given, answers, client, context.env);
      const answer = await perform(inputs, { ...context, directory });
      const id = textInput(inputs, "id");
      Object.assign(answers, answer, id === null ? {} : { [id]: answer });
      const named = textInput({ ...answer }, "directory");
      if (named !== null) directory = resolve(directory, named);
    }
  }
  return directory;
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

async function inputsOf(
  given: unknown,
  answers: Readonly<Record<string, unknown>>,
  client: ApiClient,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, unknown>>> {
  // A placeholder that is nobody's stays: a script may have such text of its own.
  const filled = fillPlaceholders(given ?? {}, (name) => {
    if (name.startsWith("$")) return env[name.slice(1)] ?? "";
    return at(answers, name.split(".")) ?? `{{ ${name} }}`;
  });
  const resolved = await resolveReferences(filled, client);
  return typeof resolved === "object" && resolved !== null ? { ...resolved } : {};
}
