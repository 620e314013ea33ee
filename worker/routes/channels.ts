/** The WebSocket upgrades: each ends in the object that owns what is talked about. */
import { notFound, SluiceError } from "#protocol/errors";
import { FlowRunId } from "#protocol/ids";
import { EVENT_HUB } from "../../durable-objects/event-hub-object.ts";
import { LOG_HUB } from "../../durable-objects/log-hub-object.ts";
import { ownerOf } from "../../durable-objects/partition.ts";
import { workPoolByName } from "../db/queries/work-pools.ts";
import { eventInbox } from "../event-inbox.ts";
import type { App } from "../serve.ts";

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
    return eventInbox(c.env).fetch(c.req.raw);
  });
  app.get("/api/events/out", (c) => {
    requireUpgrade(c.req.header("upgrade"));
    return c.env.EVENT_HUBS.getByName(EVENT_HUB).fetch(c.req.raw);
  });
  app.get("/api/logs/out", (c) => {
    requireUpgrade(c.req.header("upgrade"));
    return c.env.LOG_HUBS.getByName(LOG_HUB).fetch(c.req.raw);
  });
  app.get("/api/work_pools/:name/channel", async (c) => {
    requireUpgrade(c.req.header("upgrade"));
    const name = c.req.param("name");
    const pool = await workPoolByName(c.env, name);
    if (!pool) throw notFound("Work pool", `"${name}"`, `Create it first: sluice work-pool create ${name}`);
    return c.env.WORK_POOLS.getByName(pool.name).fetch(c.req.raw);
  });
}

function requireUpgrade(upgrade: string | undefined): void {
  if (upgrade?.toLowerCase() === "websocket") return;
  throw new SluiceError("protocol_unsupported", "This address is a WebSocket.", {
    fix: "Open it with a WebSocket client.",
  });
}
