/**
 * Hooks on states: what is done when a run begins, completes, fails or is cancelled, outside of the function itself.
 *
 * `node examples/state-hooks.ts`
 */
import { flow, type Hook, type TaskContext, task } from "sluice";

/** In a real program: a message to a channel, a metric, a ticket. */
export const told: string[] = [];
const tell: Hook<TaskContext> = ({ taskRunName, runCount }, { name }) =>
  void told.push(`${taskRunName} is ${name} at attempt ${runCount}`);

const steady = task({ name: "steady", taskRunName: "steady", onRunning: tell, onCompletion: tell }, async () => 1);
const shaky = task({ name: "shaky", taskRunName: "shaky", retries: 1, onRunning: tell, onFailure: tell }, async () => {
  throw new Error("no luck");
});

export const watched = flow(
  {
    name: "watched",
    flowRunName: "watched",
    onRunning: ({ flowRunName }) => void told.push(`${flowRunName} begins`),
    onCompletion: [({ flowName }) => void told.push(`${flowName} is fine`)],
    onFailure: ({ flowRunName }, { message }) => void told.push(`${flowRunName} has failed: ${message}`),
    onCancellation: ({ flowRunName }) => void told.push(`${flowRunName} was cancelled`),
  },
  async () => {
    await steady();
    await shaky();
  },
);

if (import.meta.main) {
  await watched().catch(() => undefined);
  for (const line of told) console.log(line);
}
