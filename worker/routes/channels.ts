/** The WebSocket upgrades: each ends in the object that owns what is talked about. */
import { notFound, SluiceError } from "#protocol/errors";
import { FlowRunId } from "#protocol/ids";
import { ownerOf } from "../../durable-objects/partition.ts";
import { workPoolByName } from "../db/queries/work-pools.ts";
import type { App } from "../serve.ts";
import { subscriptionNames } from "./task-workers.ts";

export function channelRoutes(app: App): void {
  app.get("/api/flow_runs/:id/channel", async (c) => {
    requireUpgrade(c.req.header("upgrade"));
    const id = FlowRunId.safeParse(c.req.param("id"));
    const owner = id.success ? ownerOf(c.env.FLOW_RUNS, id.data) : null;
    if (!id.success || !owner) throw notFound("Flow run", c.req.param("id"));
    const request = new Request(c.req.raw);
    request.headers.set("x-sluice-flow-run-id", id.data);
    return owner.fetch(request);
  });
  app.get("/api/events/in", (c) => {
    requireUpgrade(c.req.header("upgrade"));
    return c.env.EVENT_INBOXES.getByName(inboxName(c.env)).fetch(c.req.raw);
  });
  app.get("/api/task_runs/subscriptions/scheduled", (c) => {
    requireUpgrade(c.req.header("upgrade"));
    const names = subscriptionNames(c.env);
    const name = names[(crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % names.length] ?? "";
    return c.env.TASK_SUBSCRIPTIONS.getByName(name).fetch(c.req.raw);
  });
  app.get("/api/work_pools/:name/channel", async (c) => {
    requireUpgrade(c.req.header("upgrade"));
    const name = c.req.param("name");
    const pool = await workPoolByName(c.env, name);
    if (!pool) throw notFound("Work pool", `"${name}"`, `Create it first: sluice work-pool create ${name}`);
    return c.env.WORK_POOLS.getByName(pool.name).fetch(c.req.raw);
  });
}

/** Inboxes that connections are spread over; each is one object. */
const INBOXES = 16;

function inboxName(env: Env): string {
  const shards = Math.max(1, Math.min(INBOXES, Number(env.SLUICE_SHARDS) || 1));
  return `inbox-${(crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % shards}`;
}

function requireUpgrade(upgrade: string | undefined): void {
  if (upgrade?.toLowerCase() === "websocket") return;
  throw new SluiceError("protocol_unsupported", "This address is a WebSocket.", {
    fix: "Open it with a WebSocket client.",
  });
}
