/** Artifacts: what a run leaves for people to look at. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters, Paging } from "./filters.ts";
import { JsonObject } from "./flow-runs.ts";
import { FlowRunId, TaskRunId, Uuid } from "./ids.ts";
import { WireTime } from "./time.ts";

/** Something that a run, or anybody, left for people to look at. Without a key it is no version of anything. */
export const Artifact = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  /** Artifacts with one key are versions of one thing. */
  key: z.string().nullable(),
  /** `markdown`, `table`, `link`, `image`, `progress`, `result`, or any other word. */
  type: z.string().nullable(),
  description: z.string().nullable(),
  /** In the form that goes with the type; null where nothing was given. */
  data: z.unknown(),
  metadata_: JsonObject.nullable(),
  /** The run that left it. Null for none; `task_run_id` likewise. */
  flow_run_id: FlowRunId.nullable(),
  task_run_id: TaskRunId.nullable(),
});
export type Artifact = z.infer<typeof Artifact>;

/** What a new artifact is to be; what is left out is null. Whether the runs exist is not looked at. */
export const ArtifactCreate = z.object({
  key: z
    .string()
    .regex(/^[a-z0-9-]+$/, "may hold lower-case letters, digits and dashes only")
    .nullish(),
  type: z.string().nullish(),
  description: z.string().nullish(),
  data: z.unknown().optional(),
  metadata_: JsonObject.nullish(),
  flow_run_id: FlowRunId.nullish(),
  task_run_id: TaskRunId.nullish(),
});
export type ArtifactCreate = z.infer<typeof ArtifactCreate>;

const ids = z.array(Uuid).nullish();
const words = z.array(z.string()).nullish();
const criteria = z.object({
  operator: z.enum(["and_", "or_"]).nullish(),
  key: z.object({ any_: words, like_: z.string().nullish(), exists_: z.boolean().nullish() }).nullish(),
  type: z.object({ any_: words, not_any_: words }).nullish(),
  flow_run_id: z.object({ any_: ids }).nullish(),
  task_run_id: z.object({ any_: ids }).nullish(),
});
/**
 * All criteria hold, or (operator "or_") any of them. `exists_` asks whether there is a key; `not_any_` also leaves out
 * artifacts that have no type.
 */
export const ArtifactFilter = criteria.extend({ id: z.object({ any_: ids }).nullish() }).nullish();
export type ArtifactFilter = z.infer<typeof ArtifactFilter>;

/** ID_DESC is the default: in the order of creation, the newest first. */
export const ArtifactSort = z.enum(["ID_DESC", "CREATED_DESC", "UPDATED_DESC", "KEY_ASC", "KEY_DESC"]);
export type ArtifactSort = z.infer<typeof ArtifactSort>;

/** The latest artifact under a key, with the key's own name for it. */
export const ArtifactCollection = Artifact.extend({ key: z.string(), latest_id: Uuid });
export type ArtifactCollection = z.infer<typeof ArtifactCollection>;

/** As {@link ArtifactFilter}, over the latest artifact of each key. */
export const ArtifactCollectionFilter = criteria.extend({ latest_id: z.object({ any_: ids }).nullish() }).nullish();
export type ArtifactCollectionFilter = z.infer<typeof ArtifactCollectionFilter>;

/** The filters by which artifacts of runs are found. */
const ofRuns = FlowRunFilters.pick({ flows: true, flow_runs: true, task_runs: true, deployments: true });

const byId = z.object({ id: Uuid });

/** Always makes one more. Under a key that is used already it becomes the newest version; nothing is replaced. */
export const createArtifact = endpoint({
  id: "create_artifact",
  method: "POST",
  path: "/artifacts/",
  tag: "Artifacts",
  status: 201,
  role: "worker",
  summary: "Store an artifact.",
  body: ArtifactCreate,
  returns: Artifact,
});
/** One artifact by its id, whichever version it is. 404 when there is none. */
export const readArtifact = endpoint({
  id: "read_artifact",
  method: "GET",
  path: "/artifacts/:id",
  tag: "Artifacts",
  role: "viewer",
  summary: "Read an artifact.",
  params: byId,
  returns: Artifact,
});
/** The version that was made last, whichever was changed last. 404 when no artifact has the key. */
export const readLatestArtifact = endpoint({
  id: "read_latest_artifact",
  method: "GET",
  path: "/artifacts/:key/latest",
  tag: "Artifacts",
  role: "viewer",
  summary: "Read the latest artifact with a key.",
  params: z.object({ key: z.string() }),
  returns: Artifact,
});
/** Artifacts without a key are not in it. Filters look at the latest version alone, never at older ones. */
export const filterLatestArtifacts = endpoint({
  id: "read_latest_artifacts",
  method: "POST",
  path: "/artifacts/latest/filter",
  tag: "Artifacts",
  role: "viewer",
  summary: "List the latest artifact of each key.",
  body: ofRuns.extend({ artifacts: ArtifactCollectionFilter, sort: ArtifactSort.nullish() }).extend(Paging.shape),
  returns: z.array(ArtifactCollection),
});
/** As many as {@link filterLatestArtifacts} lists on all its pages. */
export const countLatestArtifacts = endpoint({
  id: "count_latest_artifacts",
  method: "POST",
  path: "/artifacts/latest/count",
  tag: "Artifacts",
  role: "viewer",
  summary: "Count the keys of artifacts.",
  body: ofRuns.extend({ artifacts: ArtifactCollectionFilter }),
  returns: z.int(),
});
/** Every version of each key, and those without a key. */
export const filterArtifacts = endpoint({
  id: "filter_artifacts",
  method: "POST",
  path: "/artifacts/filter",
  tag: "Artifacts",
  role: "viewer",
  summary: "List artifacts.",
  body: ofRuns.extend({ artifacts: ArtifactFilter, sort: ArtifactSort.nullish() }).extend(Paging.shape),
  returns: z.array(Artifact),
});
/** As many as {@link filterArtifacts} lists on all its pages. */
export const countArtifacts = endpoint({
  id: "count_artifacts",
  method: "POST",
  path: "/artifacts/count",
  tag: "Artifacts",
  role: "viewer",
  summary: "Count artifacts.",
  body: ofRuns.extend({ artifacts: ArtifactFilter }),
  returns: z.int(),
});
/** An absent key is left as it is, and null is stored as null. It makes no new version. 404 when there is none. */
export const updateArtifact = endpoint({
  id: "update_artifact",
  method: "PATCH",
  path: "/artifacts/:id",
  tag: "Artifacts",
  status: 204,
  role: "worker",
  summary: "Change an artifact's data, for example a progress.",
  params: byId,
  body: z.object({
    data: z.unknown().optional(),
    description: z.string().nullish(),
    metadata_: JsonObject.nullish(),
  }),
});
/** Of a key's versions only this one goes: the newest that is left is then the latest. 404 when there is none. */
export const deleteArtifact = endpoint({
  id: "delete_artifact",
  method: "DELETE",
  path: "/artifacts/:id",
  tag: "Artifacts",
  status: 204,
  summary: "Delete an artifact.",
  params: byId,
});
