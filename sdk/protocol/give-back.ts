/** A worker that cannot start a run it was given hands it back, so that another may. Beyond Prefect's API. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/**
 * The run waits again, longer each time; the third claim that comes back ends it as Crashed, with the reason of each.
 * The token of a run is not enough (403). 404 for an unknown run.
 */
export const giveBackFlowRun = endpoint({
  id: "give_back_flow_run",
  method: "POST",
  path: "/flow_runs/:id/give_back",
  tag: "Flow Runs",
  role: "worker",
  summary: "Give back a claimed run that could not be started; after a few times it ends Crashed.",
  params: z.object({ id: FlowRunId }),
  body: z.object({
    /** The claim's number. */
    generation: z.int(),
    /** Why, as a sentence. */
    reason: z.string().min(1).max(LIMITS.keyChars),
  }),
  /** False when the run was started, has ended, or was claimed anew: there is nothing to give back. */
  returns: z.object({ given_back: z.boolean() }),
});
