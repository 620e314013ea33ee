import { notFound } from "#protocol/errors";
import * as api from "#protocol/flows";
import { LIMITS } from "#protocol/limits";
import * as queries from "../db/queries/flows.ts";
import { deleteFlowWithRuns } from "../delete-with-runs.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function flowRoutes(app: App): void {
  serve(
    app,
    api.createFlow,
  )(async ({ env, body }) => {
    const { flow, created } = await queries.upsertFlow(env, body);
    return withStatus(flow, created ? 201 : 200);
  });
  serve(
    app,
    api.filterFlows,
  )(({ env, body }) =>
    queries.listFlows(env, body, {
      sort: body.sort ?? "NAME_ASC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(app, api.countFlows)(({ env, body }) => queries.countFlows(env, body));
  serve(
    app,
    api.readFlowByName,
  )(async ({ env, params }) => {
    const flow = await queries.flowByName(env, params.name);
    if (!flow) throw notFound("Flow", `"${params.name}"`);
    return flow;
  });
  serve(
    app,
    api.readFlow,
  )(async ({ env, params }) => {
    const flow = await queries.flowById(env, params.id);
    if (!flow) throw notFound("Flow", params.id);
    return flow;
  });
  serve(
    app,
    api.updateFlow,
  )(async ({ env, params, body }) => {
    if (!(await queries.updateFlowTags(env, params.id, body.tags))) throw notFound("Flow", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteFlow,
  )(async ({ env, params }) => {
    if (!(await deleteFlowWithRuns(env, params.id))) throw notFound("Flow", params.id);
    return undefined;
  });
}
