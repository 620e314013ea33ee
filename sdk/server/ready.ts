/** Waits for the engine to serve. */
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import type { RunningEngine } from "./engine.ts";
import { ServerError } from "./errors.ts";

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 5;

/** "migrate": it serves, but its database does not have the schema. Throws `engine_crashed`, `not_ready_in_time`. */
export async function waitUntilServing(origin: string, engine: RunningEngine): Promise<"ready" | "migrate"> {
  const deadlineAt = performance.now() + READY_TIMEOUT_MS;
  let ended: string | null = null;
  void engine.exited.then((why) => {
    ended = why;
  });
  let last = "nothing";
  while (ended === null && performance.now() < deadlineAt) {
    try {
      const { status, body } = await ask({ method: "GET", url: `${origin}/api/ready`, timeoutMs: 5_000 });
      if (status === 200) return "ready";
      if (status === 503 && body.includes('"not_ready"')) return "migrate";
      last = `${status} ${body}`;
    } catch (error) {
      // It may not listen yet, or be busy: that is what is waited for.
      last = String(error);
    }
    await sleep(POLL_MS);
  }
  if (ended !== null) {
    throw new ServerError("engine_crashed", `The engine ended while it was starting (${ended}).`, {
      fix: "See server.log in the data folder for its last words.",
    });
  }
  throw new ServerError(
    "not_ready_in_time",
    `The server did not become ready in ${READY_TIMEOUT_MS / 1000} s; its last answer: ${last}`,
    {
      fix: "See server.log in the data folder.",
    },
  );
}
