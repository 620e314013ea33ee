/** Flows: the named programs that runs are runs of. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters, Paging } from "./filters.ts";
import { Labels } from "./flow-runs.ts";
import { FlowId } from "./ids.ts";
import { Name } from "./names.ts";
import { WireTime } from "./time.ts";

/** A flow. Its labels go on to its deployments and runs. */
export const Flow = z.object({
  id: FlowId,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  tags: z.array(z.string()),
  labels: Labels,
});
export type Flow = z.infer<typeof Flow>;

/** A flow by its name, which is unique. Tags and labels are those of a flow that is new; by default there are none. */
export const FlowCreate = z.object({
  name: Name,
  tags: z.array(z.string()).nullish(),
  labels: Labels.nullish(),
});
export type FlowCreate = z.infer<typeof FlowCreate>;

/** Orders of a list of flows; NAME_ASC unless given. */
export const FlowSort = z.enum(["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"]);
export type FlowSort = z.infer<typeof FlowSort>;

const byId = z.object({ id: FlowId });

/** 201 for a new flow; 200 for one that has the name, whose tags and labels stay as they are. */
export const createFlow = endpoint({
  id: "create_flow",
  method: "POST",
  path: "/flows/",
  tag: "Flows",
  status: 201,
  role: "worker",
  summary: "Create a flow, or answer the one that has the name.",
  body: FlowCreate,
  returns: Flow,
});
/** 404 for an unknown flow. */
export const readFlow = endpoint({
  id: "read_flow",
  method: "GET",
  path: "/flows/:id",
  tag: "Flows",
  role: "viewer",
  summary: "Read a flow.",
  params: byId,
  returns: Flow,
});
/** 404 for an unknown name. */
export const readFlowByName = endpoint({
  id: "read_flow_by_name",
  method: "GET",
  path: "/flows/name/:name",
  tag: "Flows",
  role: "viewer",
  summary: "Read a flow by its name.",
  params: z.object({ name: z.string() }),
  returns: Flow,
});
/** The tags replace those that are there; without the key they stay. 404 for an unknown flow. */
export const updateFlow = endpoint({
  id: "update_flow",
  method: "PATCH",
  path: "/flows/:id",
  tag: "Flows",
  status: 204,
  summary: "Change a flow's tags.",
  params: byId,
  body: z.object({ tags: z.array(z.string()).optional() }),
});
/** 404 for an unknown flow; otherwise the flow itself is gone with the answer. */
export const deleteFlow = endpoint({
  id: "delete_flow",
  method: "DELETE",
  path: "/flows/:id",
  tag: "Flows",
  status: 204,
  summary: "Delete a flow with its deployments and runs. Where there are many, the last of its runs go within minutes.",
  params: byId,
});
/**
 * By name unless `sort` says otherwise. Filters of deployments, runs and pools keep the flows that have one which
 * matches.
 */
export const filterFlows = endpoint({
  id: "filter_flows",
  method: "POST",
  path: "/flows/filter",
  tag: "Flows",
  role: "viewer",
  summary: "List flows.",
  body: FlowRunFilters.extend({ sort: FlowSort.nullish() }).extend(Paging.shape),
  returns: z.array(Flow),
});
/** Counts what {@link filterFlows} would list without a limit. */
export const countFlows = endpoint({
  id: "count_flows",
  method: "POST",
  path: "/flows/count",
  tag: "Flows",
  role: "viewer",
  summary: "Count flows.",
  body: FlowRunFilters,
  returns: z.int(),
});
