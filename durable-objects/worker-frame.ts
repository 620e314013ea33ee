/** Reads what a worker sent on its channel, and says what is wrong with it. */

import { z } from "zod";
import { SluiceError } from "#protocol/errors";
import { CHANNEL_PING } from "#protocol/run-channel";
import type { EpochMs } from "#protocol/time";
import { WORKER_CHANNEL_PROTOCOL, WorkerClientFrame } from "#protocol/worker-channel";
import type { WorkerRow } from "./storage/pool-rows.ts";

/** Why the pool closes a socket. In the range that applications may use. */
export const CLOSE = {
  badFrame: 4400,
  poolDeleted: 4404,
  silent: 4408,
  replaced: 4409,
  protocol: 4426,
} as const;

/** The end of a worker's connection: what is sent in the last frame, and the code of the close. */
export interface Dismissal {
  readonly closeCode: (typeof CLOSE)[keyof typeof CLOSE];
  readonly error: SluiceError;
}

export type ReadFrame =
  | { readonly kind: "frame"; readonly frame: WorkerClientFrame }
  | { readonly kind: "bad"; readonly dismissal: Dismissal };

/** Looked at before everything else: the rest of another version's `hello` may not be readable. */
const AnyHello = z.object({ type: z.literal("hello"), protocol: z.int() });

/** Reads one message as a frame. Never throws. */
export function readWorkerFrame(message: string | ArrayBuffer): ReadFrame {
  if (typeof message !== "string") {
    return bad("A binary message arrived on the worker channel.", "Send each frame as one text message of JSON.");
  }
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return bad(`A frame is not JSON: ${reason}`, "Send each frame as one text message of JSON.", "bad_json");
  }
  const hello = AnyHello.safeParse(json);
  if (hello.success && hello.data.protocol !== WORKER_CHANNEL_PROTOCOL) return unsupported(hello.data.protocol);
  const frame = WorkerClientFrame.safeParse(json);
  if (frame.success) return { kind: "frame", frame: frame.data };
  const [issue] = frame.error.issues;
  const field = issue?.path.join(".") || "the frame";
  return bad(
    `Field ${field} of a frame is not valid: ${issue?.message ?? "unknown form"} (it was ${valueAt(json, issue?.path ?? [])}).`,
    "Send frames in the form of sdk/protocol/worker-channel.ts.",
  );
}

/** A frame that can be read but must not come now. */
export function bad(message: string, fix: string, code: "validation" | "bad_json" = "validation") {
  return {
    kind: "bad",
    dismissal: {
      closeCode: CLOSE.badFrame,
      error: new SluiceError(code, message, { fix }),
    },
  } as const satisfies ReadFrame;
}

function unsupported(protocol: number): ReadFrame {
  const message = `The worker speaks version ${protocol} of the worker channel; this server speaks version ${WORKER_CHANNEL_PROTOCOL}.`;
  const fix = "Install the same version of sluice on the worker's machine and on the server.";
  return {
    kind: "bad",
    dismissal: {
      closeCode: CLOSE.protocol,
      error: new SluiceError("protocol_unsupported", message, { fix }),
    },
  };
}

const SHOWN_CHARS = 80;

function valueAt(json: unknown, path: readonly PropertyKey[]): string {
  let value = json;
  for (const part of path) value = typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;
  const text = JSON.stringify(value) ?? "absent";
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

/** What is kept of a worker that says hello; one that was known keeps its id. */
export function workerRow(
  hello: Extract<WorkerClientFrame, { type: "hello" }>,
  known: WorkerRow | null,
  now: EpochMs,
): WorkerRow {
  return {
    name: hello.worker_name,
    id: known?.id ?? crypto.randomUUID(),
    type: hello.worker_type,
    limit: hello.limit,
    queueNames: hello.work_queue_names,
    prefetchMs: hello.prefetch_ms,
    isOnline: true,
    connectedAt: now,
    lastSeenAt: now,
  };
}

/** Why a socket is closed on which nothing was heard for too long. */
export function silentError(silentMs: number, heartbeatMs: number): SluiceError {
  return new SluiceError("conflict", `No heartbeat arrived for ${silentMs / 1000} seconds.`, {
    fix: `Send "${CHANNEL_PING}" every ${heartbeatMs / 1000} seconds, and connect again.`,
  });
}

/** The answer to a request that does not open a socket. */
export function notAWebSocket(): Response {
  const error = new SluiceError("protocol_unsupported", "The worker channel is a WebSocket.", {
    fix: "Send the request with `Upgrade: websocket`.",
  });
  return Response.json(error.toBody(), { status: error.status, headers: { Upgrade: "websocket" } });
}
