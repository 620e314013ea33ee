/** Jobs as processes of this machine, with their code found here or brought by pull steps. */
import { codeFolder } from "./code-folder.ts";
import type { Infrastructure, PreparedJob } from "./infrastructure.ts";
import { RunProcess } from "./process.ts";
import { processJob } from "./process-job.ts";
import { WarmProcesses } from "./warm-processes.ts";

/** `warm` is how many processes wait for runs, started beforehand. */
export function processInfrastructure(warm: number): Infrastructure {
  const waiting = new WarmProcesses(warm);
  return {
    type: "process",
    start: (apiUrl) => waiting.start(apiUrl),
    stop: () => waiting.stop(),
    async prepare(ticket, configuration, { client, ending, onLine }): Promise<PreparedJob> {
      const { command, env, workingDirectory, streamOutput } = processJob(configuration);
      const print = streamOutput ? onLine : () => undefined;
      const folder = await codeFolder(ticket, { client, workingDirectory, env, signal: ending, onLine: print });
      return {
        hasCommand: command !== null,
        isSilent: command !== null,
        start: (assignment, more) => {
          const variables = { ...env, ...more.env };
          return new RunProcess({
            assignment,
            cwd: folder.path,
            env: variables,
            warm: command === null ? waiting.take(variables) : null,
            ...(command === null ? {} : { command }),
            onLine: (line, stream) => {
              print(line, stream);
              more.onLine(line, stream);
            },
          });
        },
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  };
}
