/** From an error to an answer: the only place that does it. */
import { DrizzleQueryError } from "drizzle-orm/errors";
import type { Context } from "hono";
import { type ErrorBody, SluiceError } from "#protocol/errors";

/** Faults of the platform that pass: the caller tries again. Nothing was decided, or the decision can be read. */
const PASSING = [
  "Network connection lost",
  "storage caused object to be reset",
  "reset because its code was updated",
  "Cannot resolve D1 DB due to transient issue",
  "D1 DB is overloaded",
  "Durable Object is overloaded",
  "Too many requests queued",
];
const RETRY_AFTER_SECONDS = "1";
/** SQLite's words for a value or row over D1's 2 MB. */
const TOO_BIG = ["SQLITE_TOOBIG", "string or blob too big"];

export function problem(error: unknown, c: Context): Response {
  if (error instanceof SluiceError) {
    const wait = error.retryAfterSeconds;
    return answer(error.toBody(), error.status, wait === null ? {} : { "retry-after": String(wait) });
  }
  const chain = chainOf(error);
  const says = (texts: readonly string[]) => chain.some((link) => texts.some((text) => String(link).includes(text)));
  if (says(PASSING) || chain.some(isRetryable)) {
    const passing = new SluiceError("overloaded", "The control plane could not take this request at this moment.", {
      fix: "Send it again after the time in Retry-After.",
    });
    return answer(passing.toBody(), passing.status, { "retry-after": RETRY_AFTER_SECONDS });
  }
  if (says(TOO_BIG)) {
    const tooBig = new SluiceError(
      "payload_too_large",
      "A value in the request is larger than one stored row may be.",
      {
        fix: "Keep what is larger than 2 MB in storage of your own, and send where it is.",
      },
    );
    return answer(tooBig.toBody(), tooBig.status);
  }
  const requestId = crypto.randomUUID();
  console.error(`Request ${requestId} (${c.req.method} ${c.req.path}) met a defect of Sluice.`, error);
  return answer(
    {
      code: "defect",
      exception_message: `A defect of Sluice: see request ${requestId} in the server's log.`,
      detail: `A defect of Sluice: see request ${requestId} in the server's log.`,
      fix: "Report it with the request and the log entry.",
    },
    500,
  );
}

/**
 * An error and what caused it, without drizzle's own: its message repeats the query's parameters, which are the
 * caller's words, and D1's are in its cause.
 */
function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let link = error; link !== undefined && chain.length < 8; ) {
    chain.push(link);
    link = link instanceof Error ? link.cause : undefined;
  }
  return chain.filter((link) => !(link instanceof DrizzleQueryError));
}

/** Durable Objects mark the faults that pass. */
function isRetryable(error: unknown): boolean {
  const flags = error as { overloaded?: boolean; retryable?: boolean } | null;
  return flags?.overloaded === true || flags?.retryable === true;
}

function answer(body: ErrorBody, status: number, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}
