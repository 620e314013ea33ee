/**
 * What a process that waits for a run does beforehand, so that the run does not pay for it: it loads what flows import,
 * and goes once the way to the control plane that a run channel goes. The first WebSocket of a process costs
 * several times the next one: Node loads its client, looks the name up and reads its certificates then.
 */

/** A way that takes longer is not gone to its end. */
const WITHIN_MS = 5_000;

/** Never rejects: a run finds out by itself what does not work. */
export async function warmUp(apiUrl: string): Promise<void> {
  await Promise.allSettled([import("../index.ts"), tryWay(apiUrl)]);
}

/** Asks for a WebSocket where there is none, which needs no key and leaves nothing behind. */
function tryWay(apiUrl: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${apiUrl.replace(/^http/, "ws")}/health`);
    const timer = setTimeout(() => socket.close(), WITHIN_MS);
    timer.unref();
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.addEventListener("error", end);
    socket.addEventListener("close", end);
    socket.addEventListener("open", () => socket.close());
  });
}
