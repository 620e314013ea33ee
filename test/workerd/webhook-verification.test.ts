/** Signatures as the providers document them: each vector names where it was published. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { WebhookVerification } from "#protocol/webhooks";
import { verify } from "../../worker/webhooks/verify.ts";

interface Vector {
  readonly source: string;
  readonly verification: WebhookVerification;
  readonly secret: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Unix seconds at which it was signed; 0 where that is not signed. */
  readonly at: number;
  /** The header with the signature. */
  readonly header: string;
}

const of = (verification: unknown) => WebhookVerification.parse(verification);

const SLACK_BODY =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const STRIPE_BODY = '{"id":"evt_1","object":"event","type":"invoice.paid"}';
/** Stripe documents the form, with a signature whose secret it does not tell: this one was made with OpenSSL. */
const STRIPE_SIGNATURE = "9383b9b618a49f33a7a06d7a61c6af63198ded55838e0b9692e6b48f2d251ce3";

const VECTORS: readonly Vector[] = [
  {
    source: "GitHub Docs, Validating webhook deliveries, Testing the webhook payload validation",
    verification: of({ type: "github" }),
    secret: "It's a Secret to Everybody",
    headers: { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
    body: "Hello, World!",
    at: 0,
    header: "x-hub-signature-256",
  },
  {
    source: "Slack API, Verifying requests from Slack, the step-by-step walk-through",
    verification: of({ type: "slack" }),
    secret: "8f742231b10e8888abcd99yyyzzz85a5",
    headers: {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
    body: SLACK_BODY,
    at: 1_531_420_618,
    header: "x-slack-signature",
  },
  {
    source: "Standard Webhooks and Svix, Verifying webhooks manually, the example",
    verification: of({ type: "standard" }),
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
    header: "webhook-signature",
  },
  {
    source:
      "Stripe Docs, Verify webhook signatures manually: the form, with several schemes and an old secret's signature",
    verification: of({ type: "stripe" }),
    secret: "whsec_of_a_test",
    headers: {
      "stripe-signature": `t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,v1=${STRIPE_SIGNATURE},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`,
    },
    body: STRIPE_BODY,
    at: 1_492_774_577,
    header: "stripe-signature",
  },
  {
    source: "RFC 4231, test case 2, HMAC-SHA-256",
    verification: of({ type: "hmac", header: "X-Signature" }),
    secret: "Jefe",
    headers: { "x-signature": "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843" },
    body: "what do ya want for nothing?",
    at: 0,
    header: "x-signature",
  },
  {
    source: "RFC 2202, test case 2, HMAC-SHA-1",
    verification: of({ type: "hmac", header: "x-signature", algorithm: "sha1", prefix: "sha1=" }),
    secret: "Jefe",
    headers: { "x-signature": "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
    body: "what do ya want for nothing?",
    at: 0,
    header: "x-signature",
  },
  {
    source: "RFC 4231, test case 2, HMAC-SHA-512, in base64",
    verification: of({ type: "hmac", header: "x-signature", algorithm: "sha512", encoding: "base64" }),
    secret: "Jefe",
    headers: {
      "x-signature": "Fkt6e/z4GeLjlfvnO1bgo4e9ZCIugx/WECcM1+olBVSXWL91wFqZSm0DT2X48Ob9yuqxo01Ka0tjbgcKOLznNw==",
    },
    body: "what do ya want for nothing?",
    at: 0,
    header: "x-signature",
  },
];

const WINDOW_MS = 300_000;

function check(vector: Vector, change: Partial<Vector> = {}, lateMs = 0) {
  const { verification, secret, headers, body, at } = { ...vector, ...change };
  return verify(
    { headers: new Headers(headers), body: Uint8Array.from(new TextEncoder().encode(body)) },
    { verification, secrets: [secret], nowMs: at * 1_000 + lateMs, replayWindowMs: WINDOW_MS },
  );
}

const named = VECTORS.map((vector) => [vector.source, vector] as const);

describe("a signature", () => {
  it.for(named)("of %s is taken", async ([, vector], { expect }) => {
    expect(await check(vector)).toMatchObject({ ok: true, key: expect.any(String) });
  });

  it("of Svix is taken under its own names of headers, too", async ({ expect }) => {
    const vector = VECTORS.find(({ verification }) => verification.type === "standard") as Vector;
    const entries = Object.entries(vector.headers).map(([name, text]) => [name.replace("webhook-", "svix-"), text]);
    const key = vector.headers["webhook-id"];
    expect(await check(vector, { headers: Object.fromEntries(entries) })).toEqual({ ok: true, key });
    expect(await check(vector, { headers: Object.fromEntries(entries.slice(1)) })).toMatchObject({ ok: false });
  });

  it.for(named)("of %s is refused for another body, and with another secret", async ([, vector], { expect }) => {
    for (const change of [{ body: `${vector.body} ` }, { body: "" }, { secret: "d2hvc2VjX290aGVy" }]) {
      expect(await check(vector, change)).toMatchObject({ ok: false, reason: expect.stringContaining(vector.header) });
    }
  });

  it.for(named)("of %s is refused when it is left out, cut, or of another form", async ([, vector], { expect }) => {
    const signature = vector.headers[vector.header] ?? "";
    const wrong = ["", "sha256=", "v1,", signature.slice(0, -4), `${signature}00`, "x".repeat(200), "t=1,v1=,v1=zz"];
    for (const text of wrong) {
      if (vector.verification.type === "stripe" && text.startsWith(signature.slice(0, -4))) continue;
      const headers = { ...vector.headers, [vector.header]: text };
      expect((await check(vector, { headers })).ok, text).toBe(false);
    }
    const { [vector.header]: _, ...without } = vector.headers;
    expect(await check(vector, { headers: without })).toMatchObject({ reason: expect.stringContaining(vector.header) });
  });

  it.for(named.filter(([, { at }]) => at !== 0))(
    "of %s counts within the window, and neither after it nor long before its time",
    async ([, vector], { expect }) => {
      for (const ms of [-WINDOW_MS, 0, WINDOW_MS]) expect((await check(vector, {}, ms)).ok).toBe(true);
      for (const ms of [-WINDOW_MS - 1, WINDOW_MS + 1]) {
        expect(await check(vector, {}, ms)).toMatchObject({ ok: false, reason: expect.stringContaining("replay") });
      }
    },
  );

  it.for(named.filter(([, { at }]) => at !== 0))(
    "of %s does not cover another time than the one it was made for",
    async ([, vector], { expect }) => {
      const later = String(vector.at + 10);
      const headers = Object.fromEntries(
        Object.entries(vector.headers).map(([name, text]) => [name, text.replace(String(vector.at), later)]),
      );
      expect((await check(vector, { headers, at: vector.at + 10 })).ok).toBe(false);
    },
  );

  it("has no other one of the same bytes, whatever byte of the body is changed", async ({ expect }) => {
    const github = VECTORS[0];
    if (!github) throw new Error("There is no vector.");
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (body) => {
        expect((await check(github, { body })).ok).toBe(body === github.body);
      }),
      { numRuns: 200, examples: [[github.body]] },
    );
  });

  it("counts when it was made with any of the webhook's secrets", async ({ expect }) => {
    const [vector] = VECTORS;
    if (!vector) throw new Error("There is no vector.");
    const body = Uint8Array.from(new TextEncoder().encode(vector.body));
    const secrets = ["new", vector.secret];
    const expected = { verification: vector.verification, secrets, nowMs: 0, replayWindowMs: 1 };
    expect((await verify({ headers: new Headers(vector.headers), body }, expected)).ok).toBe(true);
  });
});

describe("a signed time in a header of one's own", () => {
  const verification = of({ type: "hmac", header: "x-sig", timestamp_header: "x-time" });
  const signature = "e9232c9945da8456c2dea6b39da7786c07b00bca7a64d5dd1283674713a7b72a";
  const vector: Vector = {
    source: "",
    verification,
    secret: "s",
    headers: { "x-sig": signature, "x-time": "1700000000" },
    body: "{}",
    at: 1_700_000_000,
    header: "x-sig",
  };
  it("is part of what is signed", async ({ expect }) => {
    expect((await check(vector)).ok).toBe(true);
    expect((await check(vector, {}, WINDOW_MS + 1)).ok).toBe(false);
    for (const time of ["", "soon", "1700000001", "17e8"]) {
      expect((await check(vector, { headers: { ...vector.headers, "x-time": time } })).ok, time).toBe(false);
    }
  });
});

describe("a bearer token", () => {
  const ask = (authorization: string | null) =>
    verify(
      { headers: new Headers(authorization === null ? {} : { authorization }), body: new Uint8Array() },
      { verification: { type: "bearer" }, secrets: ["right", "older"], nowMs: 0, replayWindowMs: 1 },
    );
  it.for([
    ["Bearer right", true],
    ["bearer  older ", true],
    ["Bearer wrong", false],
    ["Bearer ", false],
    ["Basic right", false],
    ["right", false],
    [null, false],
  ] as const)("%j is taken: %s", async ([header, isTaken], { expect }) => {
    expect((await ask(header)).ok).toBe(isTaken);
  });
});
