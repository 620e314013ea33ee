import { notFound, SluiceError } from "#protocol/errors";
import * as api from "#protocol/flow-run-inputs";
import type { FlowRunId } from "#protocol/ids";
import { ownerOf } from "../../durable-objects/partition.ts";
import { type App, serve } from "../serve.ts";

export function flowRunInputRoutes(app: App): void {
  serve(
    app,
    api.createFlowRunInput,
  )(async ({ env, params, body }) => {
    const outcome = await requireOwner(env, params.id).putInput(params.id, body);
    if (outcome === "unknown run") throw notFound("Flow run", params.id);
    if (outcome === "key taken") {
      throw new SluiceError("conflict", `A flow run input with the key "${body.key}" already exists.`, {
        fix: "Use another key, or delete the input that is there.",
      });
    }
    return undefined;
  });
  serve(app, api.filterFlowRunInput)(({ env, params, body }) => requireOwner(env, params.id).inputs(params.id, body));
  serve(
    app,
    api.readFlowRunInput,
  )(async ({ env, params, c }) => {
    const input = await requireOwner(env, params.id).input(params.id, params.key);
    if (!input) throw notFound("Flow run input", `"${params.key}"`);
    // The one answer that is not JSON: the stored text as it is.
    return c.text(input.value);
  });
  serve(
    app,
    api.deleteFlowRunInput,
  )(async ({ env, params }) => {
    if (!(await requireOwner(env, params.id).removeInput(params.id, params.key))) {
      throw notFound("Flow run input", `"${params.key}"`);
    }
    return undefined;
  });
}

function requireOwner(env: Env, id: FlowRunId) {
  const owner = ownerOf(env.FLOW_RUNS, id);
  if (!owner) throw notFound("Flow run", id);
  return owner;
}
