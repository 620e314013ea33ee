import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { eventsIn, eventsOut, logsOut, taskSubscription } from "#protocol/channels";
import worker from "../../../worker/index.ts";

/** A namespace whose objects are not to be reached. */
const UNREACHABLE = {
  getByName: () => ({ fetch: () => Promise.reject(new Error("The object is being moved.")) }),
};

describe("a socket of Prefect's clients whose object is not to be reached", () => {
  it.for([
    [eventsIn.path, "EVENT_INBOXES"],
    [eventsOut.path, "EVENT_HUBS"],
    [logsOut.path, "LOG_HUBS"],
    [taskSubscription.path, "TASK_SUBSCRIPTIONS"],
  ] as const)("%s is opened and closed with 1013, after which they come again", async ([path, name], { expect }) => {
    const request = new Request(`http://localhost:4200/api${path}`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": "prefect" },
    }) as Request<unknown, IncomingRequestCfProperties>;
    const faulty = { ...env, [name]: UNREACHABLE } as unknown as Env;
    const response = await worker.fetch(request, faulty, createExecutionContext());
    expect(response.status).toBe(101);
    const socket = response.webSocket;
    const closed = new Promise<number>((resolve) => socket?.addEventListener("close", ({ code }) => resolve(code)));
    socket?.accept();
    expect(await closed).toBe(1013);
  });
});
