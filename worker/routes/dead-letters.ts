import * as api from "#protocol/dead-letters";
import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as queries from "../db/queries/dead-letters.ts";
import { type App, serve } from "../serve.ts";

export function deadLetterRoutes(app: App): void {
  serve(
    app,
    api.filterDeadLetters,
  )(({ env, body }) =>
    queries.listDeadLetters(env, body.queue ?? null, {
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(app, api.readDeadLetter)(({ env, params }) => requireLetter(env, params.id));
  serve(
    app,
    api.replayDeadLetter,
  )(async ({ env, params }) => {
    const letter = await requireLetter(env, params.id);
    // In this order: a letter that is sent twice does no harm, one that is lost does.
    await queueOf(env, letter).send(letter.body);
    await queries.deleteDeadLetter(env, letter.id);
    return letter;
  });
  serve(
    app,
    api.deleteDeadLetter,
  )(async ({ env, params }) => {
    if (!(await queries.deleteDeadLetter(env, params.id))) throw notFound("Dead letter", params.id);
    return undefined;
  });
}

async function requireLetter(env: Env, id: string): Promise<api.DeadLetter> {
  const letter = await queries.deadLetterById(env, id);
  if (!letter) throw notFound("Dead letter", id);
  return letter;
}

function queueOf(env: Env, letter: api.DeadLetter): Queue {
  switch (letter.queue) {
    case "dispatch":
      return env.DISPATCH_QUEUE;
    case "pushes":
      return env.PUSHES_QUEUE;
    case "events":
      return env.EVENTS_QUEUE;
    case "actions":
      return env.ACTIONS_QUEUE;
    default:
      throw new SluiceError("conflict", `This version has no queue "${letter.queue}".`, {
        fix: "Delete the letter, or use the version that sent it.",
      });
  }
}
