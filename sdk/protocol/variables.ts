/** Variables: small named JSON values that flows and job templates read. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { IdFilter, NameFilter, Paging, TagsFilter } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

const name = z
  .string()
  .min(1)
  .max(LIMITS.nameChars)
  .regex(/^[a-z0-9_-]*$/, "may hold lower-case letters, digits, dashes and underscores only");
/** As upstream, whose client cannot read a longer one, nor a list that it is in. */
const VALUE_CHARS = 5_000;
const value = z.unknown().refine((given) => (JSON.stringify(given)?.length ?? 0) <= VALUE_CHARS, {
  error: `is longer than ${VALUE_CHARS} characters of JSON; keep it in storage of your own, and set where it is`,
});

/** A variable. Its name is unique. */
export const Variable = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  value: z.unknown(),
  tags: z.array(z.string()),
});
export type Variable = z.infer<typeof Variable>;

/** A variable that is to be made; without tags it has none. */
export const VariableCreate = z.object({
  name,
  /** Any JSON value of at most 5,000 characters. */
  value,
  tags: z.array(z.string()).nullish(),
});
export type VariableCreate = z.infer<typeof VariableCreate>;

/** An absent key is left as it is; a null value is a value. */
export const VariableUpdate = z.object({
  name: name.nullish(),
  value: value.optional(),
  tags: z.array(z.string()).nullish(),
});
export type VariableUpdate = z.infer<typeof VariableUpdate>;

/** Which variables: all criteria must hold, or one of them with the operator `or_`. Null means all. */
export const VariableFilter = z
  .object({ operator: z.enum(["and_", "or_"]).nullish(), id: IdFilter, name: NameFilter, tags: TagsFilter })
  .nullish();
export type VariableFilter = z.infer<typeof VariableFilter>;

/** Orders of a list of variables; NAME_ASC unless given. */
export const VariableSort = z.enum(["CREATED_DESC", "UPDATED_DESC", "NAME_DESC", "NAME_ASC"]);
export type VariableSort = z.infer<typeof VariableSort>;

const byId = z.object({ id: Uuid });
const byName = z.object({ name: z.string() });

/** 409 when the name is taken, 422 for a value of more than 5,000 characters of JSON. */
export const createVariable = endpoint({
  id: "create_variable",
  method: "POST",
  path: "/variables/",
  tag: "Variables",
  status: 201,
  summary: "Create a variable.",
  body: VariableCreate,
  returns: Variable,
});
/** 404 for an unknown variable. */
export const readVariable = endpoint({
  id: "read_variable",
  method: "GET",
  path: "/variables/:id",
  tag: "Variables",
  role: "viewer",
  summary: "Read a variable.",
  params: byId,
  returns: Variable,
});
/** 404 for an unknown name. */
export const readVariableByName = endpoint({
  id: "read_variable_by_name",
  method: "GET",
  path: "/variables/name/:name",
  tag: "Variables",
  role: "viewer",
  summary: "Read a variable by its name.",
  params: byName,
  returns: Variable,
});
/** 404 for an unknown variable, 409 when the new name is taken, 422 for a value that is too long. */
export const updateVariable = endpoint({
  id: "update_variable",
  method: "PATCH",
  path: "/variables/:id",
  tag: "Variables",
  status: 204,
  summary: "Change a variable.",
  params: byId,
  body: VariableUpdate,
});
/** 404 for an unknown name, 409 when the new one is taken, 422 for a value that is too long. */
export const updateVariableByName = endpoint({
  id: "update_variable_by_name",
  method: "PATCH",
  path: "/variables/name/:name",
  tag: "Variables",
  status: 204,
  summary: "Change a variable by its name.",
  params: byName,
  body: VariableUpdate,
});
/** 404 for an unknown variable. */
export const deleteVariable = endpoint({
  id: "delete_variable",
  method: "DELETE",
  path: "/variables/:id",
  tag: "Variables",
  status: 204,
  summary: "Delete a variable.",
  params: byId,
});
/** 404 for an unknown name. */
export const deleteVariableByName = endpoint({
  id: "delete_variable_by_name",
  method: "DELETE",
  path: "/variables/name/:name",
  tag: "Variables",
  status: 204,
  summary: "Delete a variable by its name.",
  params: byName,
});
/** By name unless `sort` says otherwise, at most 200. */
export const filterVariables = endpoint({
  id: "filter_variables",
  method: "POST",
  path: "/variables/filter",
  tag: "Variables",
  role: "viewer",
  summary: "List variables.",
  body: z.object({ variables: VariableFilter, sort: VariableSort.nullish() }).extend(Paging.shape),
  returns: z.array(Variable),
});
/** Counts what {@link filterVariables} would list without a limit. */
export const countVariables = endpoint({
  id: "count_variables",
  method: "POST",
  path: "/variables/count",
  tag: "Variables",
  role: "viewer",
  summary: "Count variables.",
  body: z.object({ variables: VariableFilter }),
  returns: z.int(),
});
