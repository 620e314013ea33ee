/** From an error to an answer: the only place that does it. */
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

export function problem(error: unknown, c: Context): Response {
  if (error instanceof SluiceError) return answer(error.toBody(), error.status);
  const message = error instanceof Error ? error.message : String(error);
  const flags = error as { overloaded?: boolean; retryable?: boolean };
  if (flags.overloaded || flags.retryable || PASSING.some((text) => message.includes(text))) {
    const passing = new SluiceError("overloaded", "The control plane could not take this request at this moment.", {
      fix: "Send it again after the time in Retry-After.",
    });
    return answer(passing.toBody(), passing.status, { "retry-after": RETRY_AFTER_SECONDS });
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

function answer(body: ErrorBody, status: number, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}
