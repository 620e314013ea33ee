import * as api from "#protocol/events";
import { eventInbox } from "../event-inbox.ts";
import { type App, serve } from "../serve.ts";

export function eventRoutes(app: App): void {
  serve(
    app,
    api.createEvents,
  )(async ({ env, body }) => {
    if (body.length > 0) await eventInbox(env).receive(body);
    return undefined;
  });
}
