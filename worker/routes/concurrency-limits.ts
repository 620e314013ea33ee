import * as api from "#protocol/concurrency-limits";
import { notFound, SluiceError } from "#protocol/errors";
import { Uuid } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { toWireTime } from "#protocol/time";
import type { LimitStatus } from "../../durable-objects/concurrency-limit-owner.ts";
import { isOnNothing } from "../../durable-objects/lease-id.ts";
import { limitOwner } from "../../durable-objects/limit-owner.ts";
import { acquireSlots, inOrder, leaveLines } from "../acquire-slots.ts";
import { configureLimit, createLimit, removeLimit } from "../configure-limit.ts";
import * as queries from "../db/queries/concurrency-limits.ts";
import { toLimit, withSlots } from "../limit-documents.ts";
import { type App, serve } from "../serve.ts";

const DEFAULT_LEASE_SECONDS = 300;
const DEFAULT_WAITER_LEASE_SECONDS = 30;

export function concurrencyLimitRoutes(app: App): void {
  serve(
    app,
    api.createConcurrencyLimitV2,
  )(async ({ env, body }) => {
    const row = await createLimit(env, body);
    if (!row) throw taken(body.name);
    const status = await limitOwner(env.CONCURRENCY_LIMITS, row.id).status();
    return {
      ...toLimit(row, status.activeSlots),
      denied_slots: status.wantedSlots,
      avg_slot_occupancy_seconds: status.averageOccupancyMs / 1_000,
    };
  });
  serve(
    app,
    api.filterConcurrencyLimitsV2,
  )(async ({ env, body }) => {
    const rows = await queries.listLimits(env, { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 });
    return Promise.all(rows.map((row) => withSlots(env, row)));
  });
  serve(
    app,
    api.readConcurrencyLimitV2,
  )(async ({ env, params }) => withSlots(env, await requireLimit(env, params.id_or_name)));
  serve(
    app,
    api.readConcurrencyLimitHolders,
  )(async ({ env, params }) => {
    const { id } = await requireLimit(env, params.id_or_name);
    return toOccupancy(await limitOwner(env.CONCURRENCY_LIMITS, id).status());
  });
  serve(
    app,
    api.updateConcurrencyLimitV2,
  )(async ({ env, params, body }) => {
    const outcome = await configureLimit(env, keyOf(params.id_or_name), body);
    if (outcome === "unknown") throw unknown(params.id_or_name);
    if (outcome === "name taken") throw taken(body.name ?? "");
    return undefined;
  });
  serve(
    app,
    api.resetConcurrencyLimit,
  )(async ({ env, params }) => {
    const { id } = await requireLimit(env, params.id_or_name);
    await limitOwner(env.CONCURRENCY_LIMITS, id).reset([]);
    return undefined;
  });
  serve(
    app,
    api.deleteConcurrencyLimitV2,
  )(async ({ env, params }) => {
    if (!(await removeLimit(env, keyOf(params.id_or_name)))) throw unknown(params.id_or_name);
    return undefined;
  });
  slotRoutes(app);
}

function slotRoutes(app: App): void {
  serve(
    app,
    api.incrementSlots,
  )(async ({ env, body }) => {
    const mode = body.mode ?? "concurrency";
    return (await acquireSlots(env, { ...body, mode, ttlMs: null, holder: null })).limits;
  });
  serve(
    app,
    api.incrementSlotsWithLease,
  )(async ({ env, body }) => {
    const { leaseId, limits } = await acquireSlots(env, {
      names: body.names,
      slots: body.slots,
      mode: body.mode ?? "concurrency",
      ttlMs: (body.lease_duration ?? DEFAULT_LEASE_SECONDS) * 1_000,
      holder: body.holder ?? null,
    });
    return { lease_id: leaseId, limits };
  });
  serve(
    app,
    api.acquireSlots,
  )(async ({ env, body, c }) => {
    const mode = body.mode ?? "concurrency";
    // Slots of a rate limit are not held: they come back by themselves.
    const isHeld = mode === "concurrency";
    const { leaseId, limits } = await acquireSlots(env, {
      names: body.names,
      slots: body.slots ?? 1,
      mode,
      ttlMs: isHeld ? (body.lease_seconds ?? DEFAULT_WAITER_LEASE_SECONDS) * 1_000 : null,
      holder: isHeld ? (body.holder ?? null) : null,
      strict: body.strict ?? false,
      waitMs: (body.wait_seconds ?? 0) * 1_000,
      signal: c.req.raw.signal,
      ...(body.priority == null ? {} : { priority: body.priority }),
      ...(body.waiter_id == null ? {} : { waiterId: body.waiter_id }),
    });
    return { lease_id: leaseId, limits };
  });
  serve(
    app,
    api.leaveConcurrencyLine,
  )(async ({ env, body }) => {
    await leaveLines(env, body.names, body.waiter_id);
  });
  serve(
    app,
    api.decrementSlots,
  )(async ({ env, body }) => {
    const rows = await queries.limitsNamed(env, body.names);
    const occupiedMs = body.occupancy_seconds == null ? null : body.occupancy_seconds * 1_000;
    const active = rows.filter((row) => row.active);
    await Promise.all(active.map(({ id }) => limitOwner(env.CONCURRENCY_LIMITS, id).giveBack(body.slots, occupiedMs)));
    return inOrder(rows, body.names);
  });
  serve(
    app,
    api.decrementSlotsWithLease,
  )(async ({ env, body }) => {
    if (!isOnNothing(body.lease_id)) await limitOwner(env.CONCURRENCY_LIMITS, body.lease_id).release(body.lease_id);
    return undefined;
  });
  serve(
    app,
    api.renewConcurrencyLease,
  )(async ({ env, params: { id }, body }) => {
    const ttlMs = (body.lease_duration ?? DEFAULT_LEASE_SECONDS) * 1_000;
    if (isOnNothing(id) || (await limitOwner(env.CONCURRENCY_LIMITS, id).renew(id, ttlMs))) return undefined;
    throw new SluiceError("gone", `Lease ${id} has ended: it expired, or was revoked.`, {
      fix: "Acquire the slots again before going on with what they protect.",
      detail: "Lease not found - it may have expired or been revoked",
    });
  });
}

/** A UUID is an id, as upstream: a limit that is named like one is found by its id only. */
function keyOf(idOrName: string): queries.LimitKey {
  const id = Uuid.safeParse(idOrName);
  return id.success ? { id: id.data } : { name: idOrName };
}

async function requireLimit(env: Env, idOrName: string): Promise<queries.LimitRow> {
  const row = await queries.findLimit(env, keyOf(idOrName));
  if (!row) throw unknown(idOrName);
  return row;
}

function toOccupancy(status: LimitStatus): api.LimitOccupancy {
  return {
    active_slots: status.activeSlots,
    avg_slot_occupancy_seconds: status.averageOccupancyMs / 1_000,
    holders: status.holders.map(({ leaseId, slots, holder, acquiredAt, expiresAt }) => ({
      lease_id: leaseId,
      slots,
      holder,
      since: toWireTime(acquiredAt),
      expires: expiresAt === null ? null : toWireTime(expiresAt),
    })),
    waiters: status.waiters.map(({ since, ...waiter }, index) => ({
      position: index + 1,
      ...waiter,
      since: toWireTime(since),
    })),
  };
}

function unknown(which: string): SluiceError {
  return notFound("Concurrency Limit", `"${which}"`);
}

function taken(name: string): SluiceError {
  return new SluiceError("conflict", `A concurrency limit named "${name}" already exists.`, {
    fix: "Choose another name, or change the limit that is there.",
  });
}
