import { notFound } from "#protocol/errors";
import { readWhy } from "#protocol/why";
import { type App, serve } from "../serve.ts";
import { whyNotRunning } from "../why.ts";

export function whyRoutes(app: App): void {
  serve(
    app,
    readWhy,
  )(async ({ env, params: { id } }) => {
    const why = await whyNotRunning(env, id);
    if (!why) throw notFound("Flow run", id);
    return why;
  });
}
