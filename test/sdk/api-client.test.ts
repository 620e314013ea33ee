import { describe, it } from "vitest";
import { z } from "zod";
import { endpoint } from "#protocol/endpoint";
import { ApiUnreachableError, createClient } from "../../sdk/client/index.ts";

const read = endpoint({
  id: "read",
  method: "GET",
  path: "/things/:id",
  tag: "Test",
  summary: "Read.",
  params: z.object({ id: z.string() }),
  query: z.object({ of: z.array(z.string()).optional(), limit: z.int().optional() }),
  returns: z.object({ n: z.int() }),
});
const make = endpoint({
  id: "make",
  method: "POST",
  path: "/things/",
  tag: "Test",
  summary: "Make.",
  body: z.object({ name: z.string(), size: z.int().default(1) }),
  returns: z.object({ n: z.int() }),
});

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

/** A `fetch` that answers from a list, the last of it for ever, and notes what it was asked. */
function answering(...answers: (Response | Error)[]): { fetch: typeof fetch; sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: async (url, init) => {
      sent.push({ url: String(url), init: init ?? {} });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Response) return answer.clone();
      throw answer;
    },
  };
}

const ok = (n: number): Response => Response.json({ n });
const status = (code: number, headers: Record<string, string> = {}): Response =>
  new Response("{}", { status: code, headers });
const refused = (): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" }) });
const reset = (): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ECONNRESET" }) });

describe("a call", () => {
  it.for([
    "http://127.0.0.1:4200",
    "http://127.0.0.1:4200/",
    "http://127.0.0.1:4200/api",
    "http://127.0.0.1:4200/api/",
  ])("goes to the API below %s, with its parts in their places and the key", async (url, { expect }) => {
    const { fetch, sent } = answering(ok(1));
    const client = createClient({ url, key: "secret", fetch });
    expect(await client.call(read, { params: { id: "a/b" }, query: { of: ["x", "y"], limit: 2 } })).toEqual({ n: 1 });
    expect(sent[0]?.url).toBe("http://127.0.0.1:4200/api/things/a%2Fb?of=x&of=y&limit=2");
    expect(sent[0]?.init.headers).toEqual({ authorization: "Bearer secret" });
  });

  it("sends its body as JSON", async ({ expect }) => {
    const { fetch, sent } = answering(ok(1));
    await createClient({ url: "http://a", fetch }).call(make, { body: { name: "x" } });
    expect(sent[0]?.init).toMatchObject({ method: "POST", body: '{"name":"x"}' });
  });

  it("is typed by its declaration", ({ expect }) => {
    const client = createClient({ url: "http://a" });
    const use = async (): Promise<void> => {
      const { n }: { n: number } = await client.call(make, { body: { name: "x" } });
      // @ts-expect-error: the body is missing.
      await client.call(make);
      // @ts-expect-error: the id is missing.
      await client.call(read, { params: {} });
      // @ts-expect-error: it has no body.
      await client.call(read, { params: { id: String(n) }, body: {} });
    };
    expect(use).toBeTypeOf("function");
  });

  it.for([
    ["GET", 502, 2],
    ["GET", 503, 2],
    ["GET", 429, 2],
    ["GET", 408, 2],
    ["GET", 500, 1],
    ["GET", 404, 1],
    ["POST", 503, 2],
    ["POST", 429, 2],
    ["POST", 502, 1],
    ["POST", 408, 1],
  ] as const)("by %s that is answered %i is made %i times in all", async ([method, code, times], { expect }) => {
    const { fetch, sent } = answering(status(code), ok(7));
    const client = createClient({ url: "http://a", fetch });
    const call =
      method === "GET" ? client.call(read, { params: { id: "1" } }) : client.call(make, { body: { name: "x" } });
    if (times === 2) expect(await call).toEqual({ n: 7 });
    else await expect(call).rejects.toMatchObject({ name: "SluiceError" });
    expect(sent).toHaveLength(times);
  });

  it("by POST is repeated after any failure when the caller says that it is idempotent", async ({ expect }) => {
    const { fetch, sent } = answering(reset(), status(502), ok(7));
    const client = createClient({ url: "http://a", fetch });
    expect(await client.call(make, { body: { name: "x" } }, { idempotent: true })).toEqual({ n: 7 });
    expect(sent).toHaveLength(3);
  });

  it.for([
    ["was refused, and then repeats it", refused, 2],
    ["was cut, and does not repeat it", reset, 1],
  ] as const)("by POST notices that its connection %s", async ([, error, times], { expect }) => {
    const { fetch, sent } = answering(error(), ok(7));
    const call = createClient({ url: "http://a", fetch }).call(make, { body: { name: "x" } });
    if (times === 2) await call;
    else await expect(call).rejects.toThrow(ApiUnreachableError);
    expect(sent).toHaveLength(times);
  });

  it("waits as long as Retry-After says", async ({ expect }) => {
    const { fetch } = answering(status(429, { "retry-after": "0.3" }), ok(7));
    const begin = performance.now();
    await createClient({ url: "http://a", fetch }).call(read, { params: { id: "1" } });
    expect(performance.now() - begin).toBeGreaterThan(290);
  });

  it("does not wait where Retry-After is over already, nor for longer than its patience", async ({ expect }) => {
    const past = status(429, { "retry-after": new Date(Date.now() - 3_600_000).toUTCString() });
    const client = (...answers: Response[]) => createClient({ url: "http://a", fetch: answering(...answers).fetch });
    expect(await client(past, ok(7)).call(read, { params: { id: "1" } })).toEqual({ n: 7 });
    const later = client(status(429, { "retry-after": "3600" }), ok(7)).call(read, { params: { id: "1" } });
    await expect(later).rejects.toMatchObject({ code: "overloaded" });
  });

  it("has the patience that it says, or else that of its client", async ({ expect }) => {
    const { fetch, sent } = answering(status(503));
    const client = createClient({ url: "http://a", fetch, patienceMs: 60_000 });
    await expect(client.call(read, { params: { id: "1" } }, { patienceMs: 0 })).rejects.toMatchObject({ status: 503 });
    expect(sent).toHaveLength(1);
  });

  it("that is refused for want of a key says so, unless nobody needs one", async ({ expect }) => {
    const said = { code: "unauthorized", exception_message: "Wrong password.", detail: "", fix: "Try again." };
    const { fetch } = answering(Response.json(said, { status: 401 }));
    const client = createClient({ url: "http://a", fetch });
    await expect(client.call(read, { params: { id: "1" } })).rejects.toThrow("wants an API key, and none was sent");
    const signIn = endpoint({ ...make, role: "public" });
    await expect(client.call(signIn, { body: { name: "x" } })).rejects.toThrow("Wrong password.");
  });

  it("by POST ends with its signal in the middle of a request, too", async ({ expect }) => {
    const enough = new AbortController();
    const fetch = async (): Promise<Response> => {
      enough.abort(new Error("enough"));
      throw enough.signal.reason;
    };
    const call = createClient({ url: "http://a", fetch }).call(
      make,
      { body: { name: "x" } },
      { signal: enough.signal },
    );
    await expect(call).rejects.toThrow(/^enough$/);
  });

  it("says what to do when nobody answers", async ({ expect }) => {
    const { fetch } = answering(refused());
    const client = createClient({ url: "http://127.0.0.1:9", fetch, patienceMs: 50 });
    await expect(client.call(read, { params: { id: "1" } })).rejects.toThrow(
      "The Sluice API at http://127.0.0.1:9/api cannot be reached: ECONNREFUSED. Start the server with `sluice server start`",
    );
  });

  it("makes the API's error whole again", async ({ expect }) => {
    const issues = [{ loc: ["body", "name"], msg: "is too long", type: "too_big", input: "x" }];
    const body = {
      code: "validation",
      exception_message: "Bad.",
      detail: "Bad.",
      fix: "Shorten it.",
      exception_detail: issues,
    };
    const { fetch } = answering(Response.json(body, { status: 422 }));
    await expect(createClient({ url: "http://a", fetch }).call(make, { body: { name: "x" } })).rejects.toMatchObject({
      name: "SluiceError",
      code: "validation",
      message: "Bad.",
      fix: "Shorten it.",
      issues,
    });
  });

  it.for([
    ["a web page", new Response("<html>"), /not JSON/],
    ["another shape", Response.json({ n: "one" }), /field "n" of the answer/],
    ["a proxy's page", new Response("<html>", { status: 404 }), /was answered 404: <html>/],
  ] as const)("that is answered with %s says so", async ([, answer, said], { expect }) => {
    const { fetch } = answering(answer);
    await expect(createClient({ url: "http://a", fetch }).call(read, { params: { id: "1" } })).rejects.toThrow(said);
  });

  it("ends with its signal", async ({ expect }) => {
    const { fetch } = answering(status(503));
    const signal = AbortSignal.timeout(30);
    const call = createClient({ url: "http://a", fetch }).call(read, { params: { id: "1" } }, { signal });
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

describe("an address", () => {
  it.for(["localhost:4200", "ftp://a", ""])("like %o is refused with an example", (url, { expect }) => {
    expect(() => createClient({ url })).toThrow(/for example http:\/\/127\.0\.0\.1:4200\/api/);
  });
});
