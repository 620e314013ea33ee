import { notFound } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/saved-searches";
import * as queries from "../db/queries/saved-searches.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function savedSearchRoutes(app: App): void {
  serve(
    app,
    api.putSavedSearch,
  )(async ({ env, body }) => {
    const { search, created } = await queries.putSavedSearch(env, body);
    return withStatus(search, created ? 201 : 200);
  });
  serve(
    app,
    api.filterSavedSearches,
  )(({ env, body }) =>
    queries.listSavedSearches(env, { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 }),
  );
  serve(
    app,
    api.readSavedSearch,
  )(async ({ env, params }) => {
    const search = await queries.savedSearchById(env, params.id);
    if (!search) throw notFound("Saved search", params.id);
    return search;
  });
  serve(
    app,
    api.deleteSavedSearch,
  )(async ({ env, params }) => {
    if (!(await queries.deleteSavedSearch(env, params.id))) throw notFound("Saved search", params.id);
    return undefined;
  });
}
