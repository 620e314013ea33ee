import { notFound } from "#protocol/errors";
import type { WorkerServerFrame } from "#protocol/worker-channel";
import { pollWorkerChannel } from "#protocol/worker-poll";
import { workPoolByName } from "../db/queries/work-pools.ts";
import { type App, serve } from "../serve.ts";

const WAIT_MS = 10_000;
/** What comes within this span, in milliseconds, is answered together. */
const COLLECT_MS = 20;

export function workerPollRoutes(app: App): void {
  serve(
    app,
    pollWorkerChannel,
  )(async ({ env, params: { name }, body, c }) => {
    const pool = await workPoolByName(env, name);
    if (!pool) throw notFound("Work pool", `"${name}"`, `Create it first: sluice work-pool create ${name}`);
    const { webSocket } = await env.WORK_POOLS.getByName(pool.name).fetch("https://pool/channel", {
      headers: { Upgrade: "websocket" },
    });
    if (!webSocket) throw new Error("The pool's object did not open a socket.");
    const said = body.frames.map((frame) => JSON.stringify(frame));
    return { frames: await exchange(webSocket, said, body.wait_ms ?? WAIT_MS, c.req.raw.signal) };
  });
}

/** Waits here and not in the object: it sleeps while nothing happens. */
async function exchange(
  socket: WebSocket,
  said: readonly string[],
  waitMs: number,
  gone: AbortSignal,
): Promise<WorkerServerFrame[]> {
  const frames: WorkerServerFrame[] = [];
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, waitMs);
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as WorkerServerFrame;
    // Another request of the same worker took this one's place: nothing is wrong, and this one answers what it has.
    if (frame.type === "error" && frame.code === "conflict") return over.resolve();
    frames.push(frame);
    if (frame.type !== "welcome") setTimeout(over.resolve, COLLECT_MS);
  });
  socket.addEventListener("close", () => over.resolve());
  gone.addEventListener("abort", () => over.resolve());
  socket.accept();
  for (const frame of said) socket.send(frame);
  await over.promise;
  clearTimeout(timer);
  socket.close(1000, "answered");
  return frames;
}
