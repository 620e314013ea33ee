/** Saved searches: named sets of filters that a user interface keeps. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/**
 * One criterion. The control plane keeps it and does not look into it: what its words mean is the user interface's
 * affair.
 */
export const SavedSearchFilter = z.object({
  /** What is filtered, e.g. "flow_run". */
  object: z.string(),
  property: z.string(),
  type: z.string(),
  /** E.g. "equals". */
  operation: z.string(),
  value: z.unknown(),
});
export type SavedSearchFilter = z.infer<typeof SavedSearchFilter>;

/** A saved search. Its name is unique. */
export const SavedSearch = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  filters: z.array(SavedSearchFilter),
});
export type SavedSearch = z.infer<typeof SavedSearch>;

/** What is saved; null or absent filters are none. */
export const SavedSearchCreate = z.object({
  name: z.string().min(1).max(LIMITS.nameChars),
  filters: z.array(SavedSearchFilter).nullish(),
});
export type SavedSearchCreate = z.infer<typeof SavedSearchCreate>;

const byId = z.object({ id: Uuid });

/** 201 for a new name, 200 for one whose filters were replaced. */
export const putSavedSearch = endpoint({
  id: "create_saved_search",
  method: "PUT",
  path: "/saved_searches/",
  tag: "SavedSearches",
  status: 201,
  summary: "Save a search under a name; the filters of one that has the name are replaced.",
  body: SavedSearchCreate,
  returns: SavedSearch,
});
/** 404 for an unknown search. */
export const readSavedSearch = endpoint({
  id: "read_saved_search",
  method: "GET",
  path: "/saved_searches/:id",
  tag: "SavedSearches",
  role: "viewer",
  summary: "Read a saved search.",
  params: byId,
  returns: SavedSearch,
});
/** In the order of their names, at most 200. */
export const filterSavedSearches = endpoint({
  id: "read_saved_searches",
  method: "POST",
  path: "/saved_searches/filter",
  tag: "SavedSearches",
  role: "viewer",
  summary: "List saved searches by name.",
  body: Paging,
  returns: z.array(SavedSearch),
});
/** 404 for an unknown search. */
export const deleteSavedSearch = endpoint({
  id: "delete_saved_search",
  method: "DELETE",
  path: "/saved_searches/:id",
  tag: "SavedSearches",
  status: 204,
  summary: "Delete a saved search.",
  params: byId,
});
