import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/tag-concurrency-limits";
import { type EpochMs, toWireTime } from "#protocol/time";
import { limitOwner } from "../../durable-objects/limit-owner.ts";
import { TAG_PREFIX } from "../../durable-objects/tag-slots.ts";
import { acquireSlots } from "../acquire-slots.ts";
import { configureLimit, createLimit, removeLimit } from "../configure-limit.ts";
import * as queries from "../db/queries/concurrency-limits.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function tagConcurrencyLimitRoutes(app: App): void {
  serve(
    app,
    api.createTagLimit,
  )(async ({ env, body }) => {
    const name = nameOf(body.tag);
    const changed = await configureLimit(env, { name }, { limit: body.concurrency_limit });
    if (typeof changed !== "string") return withStatus(await toTagLimit(env, changed), 200);
    const made = await createLimit(env, { name, limit: body.concurrency_limit });
    if (made) return withStatus(await toTagLimit(env, made), 201);
    throw new SluiceError("conflict", `The limit of tag "${body.tag}" was made by somebody else at this moment.`, {
      fix: "Send the request again.",
    });
  });
  serve(
    app,
    api.filterTagLimits,
  )(async ({ env, body }) => {
    const page = { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 };
    const rows = await queries.listLimits(env, { prefix: TAG_PREFIX, ...page });
    return Promise.all(rows.map((row) => toTagLimit(env, row)));
  });
  serve(
    app,
    api.readTagLimitByTag,
  )(async ({ env, params }) => toTagLimit(env, await requireTagLimit(env, { name: nameOf(params.tag) })));
  serve(app, api.readTagLimit)(async ({ env, params }) => toTagLimit(env, await requireTagLimit(env, params)));
  serve(
    app,
    api.resetTagLimit,
  )(async ({ env, params, body }) => {
    const { id } = await requireTagLimit(env, { name: nameOf(params.tag) });
    const holders = (body.slot_override ?? []).map((run) => ({ type: "task_run" as const, id: run }));
    await limitOwner(env.CONCURRENCY_LIMITS, id).reset(holders);
    return undefined;
  });
  serve(
    app,
    api.deleteTagLimitByTag,
  )(async ({ env, params }) => {
    if (!(await removeLimit(env, { name: nameOf(params.tag) }))) throw unknown(params.tag);
    return undefined;
  });
  serve(
    app,
    api.deleteTagLimit,
  )(async ({ env, params }) => {
    await requireTagLimit(env, params);
    if (!(await removeLimit(env, params))) throw unknown(params.id);
    return undefined;
  });
  serve(
    app,
    api.incrementTagSlots,
  )(async ({ env, body }) => {
    const names = body.names.map(nameOf);
    const rows = names.length === 0 ? [] : await queries.limitsNamed(env, names);
    const closed = rows.find((row) => row.slotLimit === 0);
    if (closed) {
      const message = `The concurrency limit on tag "${tagOf(closed)}" is 0 and will deadlock if the task tries to run again.`;
      throw new SluiceError("locked", message, { fix: "Raise the limit, or run the task without the tag." });
    }
    const active = rows.filter((row) => row.active);
    if (active.length === 0) return [];
    await acquireSlots(env, {
      names: active.map((row) => row.name),
      slots: 1,
      mode: "concurrency",
      ttlMs: null,
      holder: { type: "task_run", id: body.task_run_id },
    });
    return active.map((row) => ({ id: row.id, name: tagOf(row), limit: row.slotLimit }));
  });
  serve(
    app,
    api.decrementTagSlots,
  )(async ({ env, body }) => {
    const rows = await queries.limitsNamed(env, body.names.map(nameOf));
    await Promise.all(rows.map(({ id }) => limitOwner(env.CONCURRENCY_LIMITS, id).releaseHolder(body.task_run_id)));
    return rows.map(({ id, name, slotLimit }) => ({ id, name, limit: slotLimit }));
  });
}

function nameOf(tag: string): string {
  return `${TAG_PREFIX}${tag}`;
}

function tagOf(row: queries.LimitRow): string {
  return row.name.slice(TAG_PREFIX.length);
}

async function requireTagLimit(env: Env, key: queries.LimitKey): Promise<queries.LimitRow> {
  const row = await queries.findLimit(env, key);
  if (row?.name.startsWith(TAG_PREFIX)) return row;
  throw unknown("id" in key ? key.id : key.name.slice(TAG_PREFIX.length));
}

async function toTagLimit(env: Env, row: queries.LimitRow): Promise<api.TagConcurrencyLimit> {
  const { holders } = await limitOwner(env.CONCURRENCY_LIMITS, row.id).status();
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    tag: tagOf(row),
    concurrency_limit: row.slotLimit,
    active_slots: holders.flatMap(({ holder }) => (holder?.type === "task_run" ? [holder.id] : [])),
  };
}

function unknown(which: string): SluiceError {
  return notFound("Concurrency limit", `"${which}"`);
}
