/** `sluice flow-run execute`: what a worker has a container, or a command of one's own, run for a flow of TypeScript. */

import { SluiceError } from "../../../protocol/errors.ts";
import { fromEnvironment } from "../../../runner/run-assignment.ts";
import { defineCommand } from "../../command.ts";

export const flowRunExecute = defineCommand({
  noun: "flow-run",
  verb: "execute",
  summary: "Execute the flow run that a worker has told this process of, by its environment.",
  arguments: {},
  options: {},
  examples: ["sluice flow-run execute"],
  async run() {
    const assignment = fromEnvironment(process.env);
    if (typeof assignment === "string") {
      throw new SluiceError("validation", `${assignment} There is no flow run to execute.`, {
        fix: "Workers start this command; use it as the command of a container or of a job.",
      });
    }
    const { executeAssignment } = await import("../../../runner/execute-assignment.ts");
    // The flow may have left timers or connections behind that would keep the process alive.
    process.exit(await executeAssignment(assignment));
  },
});
