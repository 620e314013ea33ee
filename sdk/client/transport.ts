/** How frames of the run channel travel: over a WebSocket, or by requests where there is none. */
import { SluiceError } from "../protocol/errors.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import {
  CHANNEL_PING,
  CHANNEL_PONG,
  type RunClientFrame,
  RunServerFrame,
  sendRunFrames,
} from "../protocol/run-channel.ts";
import type { ApiClient } from "./api-client.ts";
import { networkReason } from "./errors.ts";

/** One connection. It says hello by itself; frames may be sent once it was welcomed. */
export interface Transport {
  send(frames: readonly string[]): void;
  /** Shows that the process is alive. */
  ping(): void;
  close(): void;
}

/** What a connection tells. After `down` or `refused` it tells nothing more. */
export interface TransportListener {
  frame(frame: RunServerFrame): void;
  /** Something arrived, if only an answer to a ping. */
  heard(): void;
  /** The control plane knows that the process lived at this moment, by `performance.now()`. */
  shown(at: number): void;
  /** The connection is gone, or could not be made; it may be tried again. */
  down(reason: string): void;
  /** The control plane does not want this process: trying again is of no use. */
  refused(error: SluiceError): void;
}

export interface TransportTarget {
  readonly client: ApiClient;
  readonly flowRunId: FlowRunId;
  readonly hello: string;
  /** In place of the global `WebSocket`; null says that there is none. */
  readonly webSocket: typeof WebSocket | null;
}

/** Frames in one request; the contract's bound is 100, and `hello` is one of them. */
const FRAMES_PER_REQUEST = 99;
/** Characters in one request, well below LIMITS.bodyBytes even if every one takes two bytes. */
const CHARS_PER_REQUEST = 3 * 1024 * 1024;

/** Opens a WebSocket to the run's owner. */
export function openSocket(target: TransportTarget, listener: TransportListener): Transport {
  const { client, flowRunId, hello } = target;
  const Socket = target.webSocket;
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    listener.down(reason);
  };
  const socket =
    Socket === null ? null : newSocket(Socket, client.socketUrl(`/flow_runs/${flowRunId}/channel`), client.key);
  if (socket === null) {
    queueMicrotask(() => end("this runtime cannot open the WebSocket"));
    return {
      send() {},
      ping() {},
      close() {
        over = true;
      },
    };
  }
  /** When the signs of life were sent that are not answered yet; the first one is the hello. */
  const signs: number[] = [];
  socket.addEventListener("open", () => {
    signs.push(performance.now());
    socket.send(hello);
  });
  let isWelcome = true;
  socket.addEventListener("message", (event: MessageEvent) => {
    if (over) return;
    listener.heard();
    const answered = isWelcome || event.data === CHANNEL_PONG ? signs.shift() : undefined;
    isWelcome = false;
    if (answered !== undefined) listener.shown(answered);
    if (event.data === CHANNEL_PONG) return;
    const frame = readFrame(event.data);
    if (frame === null) end("a frame was not understood; the versions of client and control plane differ");
    else listener.frame(frame);
  });
  socket.addEventListener("error", () => end("the WebSocket failed"));
  socket.addEventListener("close", (event: CloseEvent) => end(`the WebSocket was closed (${event.code})`));
  return {
    send: (frames) => {
      if (socket.readyState !== Socket?.OPEN) return;
      for (const frame of frames) socket.send(frame);
    },
    ping: () => {
      if (socket.readyState !== Socket?.OPEN) return;
      signs.push(performance.now());
      socket.send(CHANNEL_PING);
    },
    close: () => {
      over = true;
      socket.close(1000);
    },
  };
}

/** Sends the same frames by requests, one at a time, each beginning with `hello`. */
export function openRequests(target: TransportTarget, listener: TransportListener): Transport {
  const { client, flowRunId, hello } = target;
  let waiting: string[] = [];
  let over = false;
  let busy = false;
  const abort = new AbortController();

  async function exchange(): Promise<void> {
    if (busy || over) return;
    busy = true;
    try {
      do {
        const frames = [hello, ...takeSome()].map((json) => JSON.parse(json) as RunClientFrame);
        const sentAt = performance.now();
        const answer = await client.call(
          sendRunFrames,
          { params: { id: flowRunId }, body: { frames } },
          { idempotent: true, patienceMs: 0, signal: abort.signal },
        );
        listener.heard();
        listener.shown(sentAt);
        for (const frame of answer.frames) if (!over) listener.frame(frame);
      } while (waiting.length > 0 && !over);
    } catch (error) {
      if (over) return;
      over = true;
      if (error instanceof SluiceError && error.status < 500) listener.refused(error);
      else listener.down(error instanceof SluiceError ? error.message : networkReason(error));
    } finally {
      busy = false;
    }
  }

  function takeSome(): string[] {
    let chars = 0;
    let count = 0;
    while (count < Math.min(waiting.length, FRAMES_PER_REQUEST) && (count === 0 || chars < CHARS_PER_REQUEST)) {
      chars += waiting[count]?.length ?? 0;
      count++;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
  }

  void exchange();
  return {
    send: (frames) => {
      waiting.push(...frames);
      void exchange();
    },
    ping: () => void exchange(),
    close: () => {
      over = true;
      abort.abort();
    },
  };
}

function readFrame(data: unknown): RunServerFrame | null {
  if (typeof data !== "string") return null;
  try {
    return RunServerFrame.safeParse(JSON.parse(data)).data ?? null;
  } catch {
    // Not JSON: the caller ends the connection and says so.
    return null;
  }
}

/** Node, Bun and Deno take headers as an extension; where they are not taken, a key cannot be sent this way. */
function newSocket(Socket: typeof WebSocket, url: string, key: string | null): WebSocket | null {
  if (key === null) return new Socket(url);
  type WithHeaders = new (url: string, options: { headers: Record<string, string> }) => WebSocket;
  try {
    return new (Socket as unknown as WithHeaders)(url, { headers: { authorization: `Bearer ${key}` } });
  } catch {
    // A runtime that reads the second argument as a subprotocol refuses it. Requests carry the key instead.
    return null;
  }
}
