import * as api from "#protocol/artifacts";
import { notFound } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as queries from "../db/queries/artifacts.ts";
import { type App, serve } from "../serve.ts";

export function artifactRoutes(app: App): void {
  serve(
    app,
    api.filterLatestArtifacts,
  )(({ env, body }) =>
    queries.listLatestArtifacts(env, body, {
      sort: body.sort ?? "ID_DESC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(app, api.countLatestArtifacts)(({ env, body }) => queries.countLatestArtifacts(env, body));
  serve(app, api.createArtifact)(({ env, body }) => queries.insertArtifact(env, body));
  serve(
    app,
    api.filterArtifacts,
  )(({ env, body }) =>
    queries.listArtifacts(env, body, {
      sort: body.sort ?? "ID_DESC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(app, api.countArtifacts)(({ env, body }) => queries.countArtifacts(env, body));
  serve(
    app,
    api.readLatestArtifact,
  )(async ({ env, params }) => {
    const artifact = await queries.latestArtifact(env, params.key);
    if (!artifact) throw notFound("Artifact", `with key "${params.key}"`);
    return artifact;
  });
  serve(
    app,
    api.readArtifact,
  )(async ({ env, params }) => {
    const artifact = await queries.artifactById(env, params.id);
    if (!artifact) throw notFound("Artifact", params.id);
    return artifact;
  });
  serve(
    app,
    api.updateArtifact,
  )(async ({ env, params, body }) => {
    if (!(await queries.changeArtifact(env, params.id, body))) throw notFound("Artifact", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteArtifact,
  )(async ({ env, params }) => {
    if (!(await queries.deleteArtifact(env, params.id))) throw notFound("Artifact", params.id);
    return undefined;
  });
}
