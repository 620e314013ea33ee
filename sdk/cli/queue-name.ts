/** How a work queue is named on the command line: `pool/queue`. */
import { type Parameter, parsed, required } from "./parameters.ts";

export interface QueueName {
  readonly name: string;
  readonly queue: string;
}

/** The value is what the endpoints of queues take as `params`. */
export function queueArgument(): Parameter<QueueName> {
  return required(parsed("Work pool and queue, as pool/queue.", readName, { placeholder: "pool/queue" }));
}

function readName(given: string): QueueName {
  const slash = given.indexOf("/");
  if (slash <= 0 || slash === given.length - 1) throw new Error("not of the form pool/queue");
  return { name: given.slice(0, slash), queue: given.slice(slash + 1) };
}
