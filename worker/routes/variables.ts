import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/variables";
import * as queries from "../db/queries/variables.ts";
import { type App, serve } from "../serve.ts";

export function variableRoutes(app: App): void {
  serve(
    app,
    api.createVariable,
  )(async ({ env, body }) => {
    const variable = await queries.insertVariable(env, body);
    if (!variable) throw taken(body.name);
    return variable;
  });
  serve(
    app,
    api.filterVariables,
  )(({ env, body }) =>
    queries.listVariables(env, body.variables, {
      sort: body.sort ?? "NAME_ASC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(app, api.countVariables)(({ env, body }) => queries.countVariables(env, body.variables));
  serve(app, api.readVariableByName)(({ env, params }) => read(env, params));
  serve(app, api.readVariable)(({ env, params }) => read(env, params));
  serve(app, api.updateVariableByName)(({ env, params, body }) => change(env, params, body));
  serve(app, api.updateVariable)(({ env, params, body }) => change(env, params, body));
  serve(app, api.deleteVariableByName)(({ env, params }) => remove(env, params));
  serve(app, api.deleteVariable)(({ env, params }) => remove(env, params));
}

async function read(env: Env, key: queries.VariableKey): Promise<api.Variable> {
  const variable = await queries.findVariable(env, key);
  if (!variable) throw unknown(key);
  return variable;
}

async function change(env: Env, key: queries.VariableKey, body: api.VariableUpdate): Promise<undefined> {
  const outcome = await queries.changeVariable(env, key, body);
  if (outcome === "unknown") throw unknown(key);
  if (outcome === "name taken") throw taken(body.name ?? "");
  return undefined;
}

async function remove(env: Env, key: queries.VariableKey): Promise<undefined> {
  if (!(await queries.deleteVariable(env, key))) throw unknown(key);
  return undefined;
}

function unknown(key: queries.VariableKey): SluiceError {
  return notFound("Variable", "id" in key ? key.id : `"${key.name}"`);
}

function taken(name: string): SluiceError {
  return new SluiceError("conflict", `A variable named "${name}" already exists.`, {
    fix: "Choose another name, or change the variable that is there.",
  });
}
