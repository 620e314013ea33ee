/** Collections: what Prefect's clients ask about integrations, above all the types of workers there are. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { JsonObject } from "./flow-runs.ts";

/** Where clients find what a new work pool starts with. 404 for every other view. */
export const readCollectionView = endpoint({
  id: "read_view_content",
  method: "GET",
  path: "/collections/views/:view",
  tag: "Collections",
  role: "viewer",
  summary: "Read a view, by package: aggregate-worker-metadata has the worker types with their job templates.",
  params: z.object({ view: z.string() }),
  returns: JsonObject,
});
