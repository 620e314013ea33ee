/** `sluice task serve`: executes background runs of the tasks that a file exports. */

import { serveTasks } from "../../../flow/background/serve-tasks.ts";
import { configure } from "../../../flow/configuration.ts";
import { isTask } from "../../../flow/task.ts";
import { SluiceError } from "../../../protocol/errors.ts";
import { loadModule } from "../../../runner/entrypoint.ts";
import { defineCommand } from "../../command.ts";
import { integer, repeated, required, text } from "../../parameters.ts";

export const taskServe = defineCommand({
  noun: "task",
  verb: "serve",
  summary: "Execute background runs of tasks on this machine.",
  arguments: {
    file: required(text("The file that exports the tasks.", { placeholder: "file" })),
  },
  options: {
    limit: integer("Runs at the same time. Default 10.", { min: 1, short: "l" }),
    task: repeated(text("Only this export; may be given several times.", { placeholder: "export", short: "t" })),
  },
  examples: ["sluice task serve tasks.ts", "sluice task serve tasks.ts --task sendMail --limit 2"],
  async run({ arguments: { file }, options, connection, output }) {
    configure({ apiUrl: connection.apiUrl, apiKey: connection.apiKey ?? null });
    const module = await loadModule(file, process.cwd());
    const there = Object.keys(module).filter((name) => isTask(module[name]));
    const wanted = options.task.length === 0 ? there : options.task.filter((name) => name !== undefined);
    const missing = wanted.find((name) => !there.includes(name));
    if (missing !== undefined || wanted.length === 0) {
      const what = missing === undefined ? "no task" : `no task "${missing}"`;
      const fix = there.length === 0 ? "Export one: export const send = task(…)." : `Name one of: ${there.join(", ")}.`;
      throw new SluiceError("not_found", `${file} exports ${what}.`, { fix });
    }
    const tasks = wanted.map((name) => module[name]).filter(isTask);
    await serveTasks(tasks, {
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      onReady: () => output.note(`Serving ${tasks.map(({ name }) => name).join(", ")}.`),
    });
    return undefined;
  },
});
