/** The pull step `run_shell_script`. */
import { resolve } from "node:path";
import { CannotStartError } from "../cannot-start.ts";
import { type PullContext, textInput } from "./pull-context.ts";
import { runStepCommand } from "./step-command.ts";

/**
 * Inputs: `script`, and if need be `directory`, `env`, `stream_output` (default true). The script is given to `sh`,
 * which stops at the first line that fails. Answers `stdout` and `stderr`.
 */
export async function runShellScript(inputs: Readonly<Record<string, unknown>>, context: PullContext) {
  const script = textInput(inputs, "script");
  if (script === null) throw new CannotStartError('The pull step run_shell_script needs "script".');
  const given = typeof inputs["env"] === "object" && inputs["env"] !== null ? Object.entries(inputs["env"]) : [];
  const env = { ...context.env, ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])) };
  return await runStepCommand({
    ...context,
    program: "sh",
    words: ["-e", "-c", script],
    cwd: resolve(context.directory, textInput(inputs, "directory") ?? "."),
    env,
    onLine: inputs["stream_output"] === false ? () => undefined : context.onLine,
  });
}
