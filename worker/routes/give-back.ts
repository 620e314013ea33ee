import { notFound } from "#protocol/errors";
import { giveBackFlowRun } from "#protocol/give-back";
import { ownerOf } from "../../durable-objects/partition.ts";
import { type App, serve } from "../serve.ts";

export function giveBackRoutes(app: App): void {
  serve(
    app,
    giveBackFlowRun,
  )(async ({ env, params: { id }, body: { generation, reason } }) => {
    const given_back = await ownerOf(env.FLOW_RUNS, id)?.giveBack(id, generation, reason);
    if (given_back == null) throw notFound("Flow run", id);
    return { given_back };
  });
}
