/** The WebSocket upgrades: each ends in the object that owns what is talked about. */
import type { Context } from "hono";
import {
  type Channel,
  eventsIn,
  eventsOut,
  logsOut,
  prefectWorkerChannel,
  runChannel,
  runStream,
  taskSubscription,
  workerChannel,
} from "#protocol/channels";
import { notFound, SluiceError } from "#protocol/errors";
import { EVENTS_SUBPROTOCOL } from "#protocol/events";
import { FlowRunId, Uuid } from "#protocol/ids";
import { HOLD_PARAMETER } from "#protocol/task-workers";
import { EVENT_HUB } from "../../durable-objects/event-hub-object.ts";
import { LOG_HUB } from "../../durable-objects/log-hub-object.ts";
import { ownerOf } from "../../durable-objects/partition.ts";
import type { Hidden } from "../../durable-objects/run-stream.ts";
import { workPoolByName } from "../db/queries/work-pools.ts";
import { eventInbox } from "../event-inbox.ts";
import { requireRole } from "../guard.ts";
import { hiddenParametersOf } from "../hide-secret-parameters.ts";
import { mayReadSecrets } from "../may-read-secrets.ts";
import { openPrefectWorkerChannel } from "../prefect-worker-channel.ts";
import type { App, AppEnv } from "../serve.ts";
import { subscriptionNames } from "./task-workers.ts";

/** The close code for "come back later". */
const TRY_AGAIN_LATER = 1013;

export function channelRoutes(app: App): void {
  upgrade(app, runChannel, (c) => toOwner(c, {}));
  upgrade(app, runStream, async (c) =>
    toOwner(c, { "x-sluice-stream": encodeURIComponent(JSON.stringify(await hiddenOf(c))) }),
  );
  upgrade(app, eventsIn, (c) => eventInbox(c.env).fetch(c.req.raw));
  upgrade(app, eventsOut, (c) => c.env.EVENT_HUBS.getByName(EVENT_HUB).fetch(c.req.raw));
  upgrade(app, logsOut, (c) => c.env.LOG_HUBS.getByName(LOG_HUB).fetch(c.req.raw));
  upgrade(app, taskSubscription, (c) => {
    const names = subscriptionNames(c.env);
    // A worker that comes back has to find what stands with its connection before.
    const holder = Uuid.safeParse(c.req.query(HOLD_PARAMETER)).data;
    const byte = holder ? Number.parseInt(holder.slice(-2), 16) : crypto.getRandomValues(new Uint8Array(1))[0];
    const name = names[(byte ?? 0) % names.length] ?? "";
    return c.env.TASK_SUBSCRIPTIONS.getByName(name).fetch(c.req.raw);
  });
  upgrade(app, prefectWorkerChannel, async (c) =>
    openPrefectWorkerChannel(c.env, c.req.raw, c.req.param("name") ?? ""),
  );
  upgrade(app, workerChannel, async (c) => {
    const name = c.req.param("name") ?? "";
    const pool = await workPoolByName(c.env, name);
    if (!pool) throw notFound("Work pool", `"${name}"`, `Create it first: sluice work-pool create ${name}`);
    return c.env.WORK_POOLS.getByName(pool.name).fetch(c.req.raw);
  });
}

/** Hands an upgrade to the owner of the run that it names. */
async function toOwner(c: Context<AppEnv>, headers: Readonly<Record<string, string>>): Promise<Response> {
  const id = FlowRunId.safeParse(c.req.param("id"));
  const owner = id.success ? ownerOf(c.env.FLOW_RUNS, id.data) : null;
  if (!id.success || !owner) throw notFound("Flow run", c.req.param("id") ?? "");
  const request = new Request(c.req.raw);
  request.headers.delete("x-sluice-stream");
  for (const [name, value] of Object.entries({ ...headers, "x-sluice-flow-run-id": id.data })) {
    request.headers.set(name, value);
  }
  return owner.fetch(request);
}

/** What of a run's parameters this caller may not see. */
async function hiddenOf(c: Context<AppEnv>): Promise<Hidden> {
  const id = FlowRunId.safeParse(c.req.param("id"));
  if (mayReadSecrets(c) || !id.success) return [];
  const run = await ownerOf(c.env.FLOW_RUNS, id.data)?.read(id.data);
  return run?.deployment_id ? hiddenParametersOf(c.env, run.deployment_id) : [];
}

/** Serves a channel: for callers who may open it, unless they show who they are in the first frame. */
function upgrade(app: App, channel: Channel, open: (c: Context<AppEnv>) => Promise<Response>): void {
  app.get(`/api${channel.path}`, (c) => {
    if (channel.keyIn === "header") requireRole(c, channel.role);
    if (c.req.header("upgrade")?.toLowerCase() === "websocket") {
      return channel.keyIn === "header" ? open(c) : openOrClose(c, open);
    }
    throw new SluiceError("protocol_unsupported", "This address is a WebSocket.", {
      fix: "Open it with a WebSocket client.",
    });
  });
}

/**
 * Opens a channel of Prefect's clients. They connect again after a close, but some of them, task workers first of all, end
 * when the upgrade is answered by anything else than a socket: where the object is not to be reached, they get one that
 * closes.
 */
async function openOrClose(c: Context<AppEnv>, open: (c: Context<AppEnv>) => Promise<Response>): Promise<Response> {
  try {
    return await open(c);
  } catch (error) {
    console.warn(`The socket ${c.req.path} could not be opened; its client is told to try again.`, error);
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.close(TRY_AGAIN_LATER, "Try again later.");
    const asked = c.req.header("sec-websocket-protocol")?.includes(EVENTS_SUBPROTOCOL);
    const headers: HeadersInit = asked ? { "sec-websocket-protocol": EVENTS_SUBPROTOCOL } : {};
    return new Response(null, { status: 101, webSocket: client, headers });
  }
}
