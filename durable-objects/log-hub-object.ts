/**
 * Sends new log lines to whoever listens (`/api/logs/out`). Lines come from the owners of runs, and only from those that
 * were told that somebody listens; nothing is kept here, so there is no backfill and what nobody hears is gone.
 */
import { DurableObject } from "cloudflare:workers";
import { logsOut } from "#protocol/channels";
import { FilterFrame } from "#protocol/events";
import { type FlowRunId, partitionName, windowOf } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { type Log, LogFilter } from "#protocol/logs";
import { utf8Length } from "#protocol/utf8";
import { clock } from "./clock.ts";
import { logMatcher } from "./log-lines.ts";
import { type FlowRunOwnerStub, ownerOf } from "./partition.ts";
import {
  acceptSocket,
  attach,
  authenticate,
  closeSocket,
  isTrusted,
  keyCheckOf,
  PROTOCOL_ERROR,
  parseJson,
} from "./socket-handshake.ts";

export const LOG_HUB = "hub-0";
/** The filter is kept in the socket's attachment: it may name about 40 runs, whose owners are told one by one. */
const FILTER_BYTES = 1_800;
/** Who listens to everything asks each partition; with more of them than this a filter must name runs. */
const SHARDS_MAX = 16;

interface ListenerAttachment {
  readonly filter: LogFilter;
}

export class LogHubObject extends DurableObject<Env> {
  override async fetch(request: Request): Promise<Response> {
    return acceptSocket(this.ctx, request, keyCheckOf(this.env, logsOut));
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const json = parseJson(message);
    if (!isTrusted(socket)) return authenticate(socket, json, keyCheckOf(this.env, logsOut));
    if (isListening(socket)) return;
    const frame = FilterFrame.safeParse(json);
    if (!frame.success) return closeSocket(socket, PROTOCOL_ERROR, "Expected 'filter' message");
    const filter = LogFilter.safeParse(frame.data.filter);
    if (!filter.success) {
      const issue = filter.error.issues[0];
      return closeSocket(socket, PROTOCOL_ERROR, `Invalid filter: ${issue?.path.join(".")}: ${issue?.message}`);
    }
    const fault = this.#faultOf(filter.data);
    if (fault !== null) return closeSocket(socket, PROTOCOL_ERROR, `Invalid filter: ${fault}`);
    attach(socket, { filter: filter.data } satisfies ListenerAttachment);
    await this.#askFor(filter.data);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close();
  }

  /** Sends lines to those who want them. Answers whether anybody still listens to any of these runs. */
  async publish(lines: readonly Log[]): Promise<boolean> {
    const runs = new Set(lines.map((line) => line.flow_run_id));
    let isHeard = false;
    for (const socket of this.ctx.getWebSockets()) {
      if (socket.readyState !== WebSocket.OPEN || !isListening(socket)) continue;
      const { filter } = socket.deserializeAttachment() as ListenerAttachment;
      const named = filter?.flow_run_id?.any_;
      if (named && !named.some((id) => runs.has(id as FlowRunId))) continue;
      isHeard = true;
      const matches = logMatcher(filter);
      for (const log of lines) {
        // Lines are not kept, so what a slow listener cannot take is lost to it.
        if (socket.bufferedAmount > LIMITS.subscriberBytes) break;
        const isNamed = !named || (log.flow_run_id !== null && named.includes(log.flow_run_id));
        if (isNamed && matches(log)) socket.send(JSON.stringify({ type: "log", log }));
      }
    }
    return isHeard;
  }

  #faultOf(filter: LogFilter): string | null {
    const bytes = utf8Length(JSON.stringify(filter ?? null));
    if (bytes > FILTER_BYTES) return `it has ${bytes} bytes; ${FILTER_BYTES} are allowed.`;
    const named = filter?.flow_run_id?.any_;
    const shards = Number(this.env.SLUICE_SHARDS) || 1;
    return !named && shards > SHARDS_MAX ? "name the flow runs in flow_run_id.any_." : null;
  }

  /** Tells the owners that their lines are wanted. */
  async #askFor(filter: LogFilter): Promise<void> {
    const named = filter?.flow_run_id?.any_ as FlowRunId[] | null | undefined;
    if (named) {
      await Promise.all([...new Set(named)].map((id) => ownerOf(this.env.FLOW_RUNS, id)?.streamLogs(id)));
      return;
    }
    const window = windowOf(clock.now());
    const shards = Array.from({ length: Number(this.env.SLUICE_SHARDS) || 1 }, (_, shard) => shard);
    // A run of last week may still go on.
    const names = [window, window - 1].flatMap((week) => shards.map((shard) => partitionName(week, shard)));
    await Promise.all(
      names.map((name) => (this.env.FLOW_RUNS.getByName(name) as unknown as FlowRunOwnerStub).streamLogs(null)),
    );
  }
}

function isListening(socket: WebSocket): boolean {
  return "filter" in ((socket.deserializeAttachment() ?? {}) as Partial<ListenerAttachment>);
}
