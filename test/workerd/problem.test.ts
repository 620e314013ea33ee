import { DrizzleQueryError } from "drizzle-orm/errors";
import { Hono } from "hono";
import { describe, it } from "vitest";
import { SluiceError } from "#protocol/errors";
import { problem } from "../../worker/problem.ts";

async function answerTo(error: Error): Promise<{ status: number; code: string; retryAfter: string | null }> {
  const app = new Hono().onError(problem).get("/", () => {
    throw error;
  });
  const response = await app.request("http://localhost/");
  const { code } = (await response.json()) as { code: string };
  return { status: response.status, code, retryAfter: response.headers.get("retry-after") };
}

/** As drizzle throws what D1 throws: D1's words are in the innermost cause, the caller's in the message. */
function throughDrizzle(words: string, ...params: unknown[]): Error {
  const cause = new Error(`D1_ERROR: ${words}`, { cause: new Error(words) });
  return new DrizzleQueryError("insert into t values (?)", params, cause);
}

describe("an error becomes an answer", () => {
  it.for([
    ["a sentence of Sluice's", new SluiceError("conflict", "taken", { fix: "choose" }), 409, "conflict"],
    [
      "a fault of D1 that passes",
      new Error("D1_ERROR: D1 DB is overloaded. Too many requests queued."),
      503,
      "overloaded",
    ],
    ["the same through drizzle", throughDrizzle("D1 DB is overloaded. Too many requests queued."), 503, "overloaded"],
    ["an object that takes nothing more", Object.assign(new Error("busy"), { overloaded: true }), 503, "overloaded"],
    ["an object that was reset", Object.assign(new Error("reset"), { retryable: true }), 503, "overloaded"],
    ["a row over D1's bound", throughDrizzle("string or blob too big: SQLITE_TOOBIG"), 413, "payload_too_large"],
  ] as const)("%s", async ([, error, status, code], { expect }) => {
    const answer = await answerTo(error);
    expect(answer).toMatchObject({ status, code });
    expect(answer.retryAfter).toBe(status === 503 ? "1" : null);
  });

  it("a defect is told as one, whatever the caller's own words say", async ({ expect }) => {
    const error = throughDrizzle('near "frm": syntax error', "D1 DB is overloaded", "SQLITE_TOOBIG");
    expect(await answerTo(error)).toMatchObject({ status: 500, code: "defect", retryAfter: null });
  });
});
