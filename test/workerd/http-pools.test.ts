/** Runs that are pushed: claimed, signed, delivered once, given back, given up. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { LIMITS } from "#protocol/limits";
import { verifyPush } from "../../sdk/http/verify-push.ts";
import { signaturesOf } from "../../worker/push/sign.ts";
import { refusedAddress } from "../../worker/push/target-address.ts";
import { aFlow, aPool, call } from "./support/api.ts";
import { aRun, propose, stateOf } from "./support/deployed-runs.ts";
import { movableClock } from "./support/pools.ts";
import { HttpPool, URL_OF_TARGET, whyOf } from "./support/pushes.ts";
import { ownerStub, until } from "./support/runs.ts";

const moveClock = movableClock();

/** A run that is due, and the message that is to push it. */
async function pushed(pool: HttpPool, more: object = {}) {
  const flow = await aFlow();
  const deployment = await pool.deployment(flow, more);
  const id = await aRun(deployment);
  return { id, flow, deployment, message: await pool.message() };
}

const urlOf = (url: string) => ({ job_variables: { url } });

describe("a run of an http pool", () => {
  it("is claimed at once and pushed as a signed request without anything resolved", async ({ expect }) => {
    const pool = await HttpPool.open();
    const { id, flow, message, deployment } = await pushed(pool, {
      entrypoint: "flows.ts:etl",
      job_variables: { token: "{{ prefect.blocks.secret.token }}", headers: { "x-team": "data" } },
    });
    expect(message).toEqual({ pool_name: pool.name, flow_run_id: id, generation: 1 });
    expect(await stateOf(id)).toMatchObject({ type: "PENDING" });
    expect(await pool.deliver(message)).toBeNull();
    const [{ request, body, url, frame } = expect.fail("nothing was pushed")] = pool.received;
    expect(url).toBe(URL_OF_TARGET);
    expect(request.headers.get("x-team")).toBe("data");
    expect(request.redirect).toBe("manual");
    expect(frame).toEqual({
      protocol: 1,
      flow_run_id: id,
      name: expect.any(String),
      generation: 1,
      deployment_id: deployment.id,
      flow_name: flow.name,
      entrypoint: "flows.ts:etl",
      run_token: null,
      api_url: null,
    });
    expect(body).not.toContain("secret");
    const proof = { headers: request.headers, body, secrets: [pool.secret], nowMs: Date.now() };
    expect(await verifyPush(proof)).toEqual({ ok: true, id: `run_${id}_1` });
    expect(await whyOf(id)).toMatchObject([
      { kind: "push_accepted", details: { budget_ms: 25_000 } },
      { kind: "claimed" },
    ]);
  });

  it("is on its way until the target has answered, and why says so", async ({ expect }) => {
    const pool = await HttpPool.open();
    const { id, message } = await pushed(pool);
    expect((await whyOf(id))[0]).toEqual({
      kind: "being_pushed",
      message: `It is on its way to the HTTP target of work pool "${pool.name}".`,
      details: { work_pool_name: pool.name, attempts: 0 },
    });
    await pool.deliver(message);
    expect((await whyOf(id))[0]).toMatchObject({ kind: "push_accepted" });
  });

  it("is not pushed again once it was accepted, and twice under one id when two deliveries overlap", async ({
    expect,
  }) => {
    const pool = await HttpPool.open();
    const { message } = await pushed(pool);
    expect(await Promise.all([pool.deliver(message), pool.deliver(message)])).toEqual([null, null]);
    expect(await pool.deliver(message)).toBeNull();
    const ids = pool.received.map(({ request }) => request.headers.get("webhook-id"));
    expect(new Set(ids).size).toBe(1);
    expect(ids.length).toBeLessThanOrEqual(2);
  });

  it("is not pushed when it was cancelled before", async ({ expect }) => {
    const pool = await HttpPool.open();
    const { id, message } = await pushed(pool);
    await propose(id, "CANCELLED");
    await until("the release", async () => (await pool.stub.nextPush(id, 1)) === null);
    expect(await pool.deliver(message)).toBeNull();
    expect(pool.received).toEqual([]);
  });

  it("waits as long as its pool's limit is full, and is pushed when a slot is free", async ({ expect }) => {
    const pool = await HttpPool.open({ pool: { concurrency_limit: 1 } });
    const { id: first, deployment } = await pushed(pool);
    const second = await aRun(deployment);
    expect(await whyOf(second)).toMatchObject([
      { kind: "limit_full", details: { holders: [first] } },
      { kind: "in_line" },
    ]);
    expect(pool.sent).toHaveLength(1);
    await propose(first, "RUNNING");
    await propose(first, "COMPLETED");
    expect(await pool.message(2)).toMatchObject({ flow_run_id: second });
    expect(await pool.stub.status()).toMatchObject({ held: 1, ready: 0 });
  });

  it("is pushed to the URL of its deployment where the pool has no template", async ({ expect }) => {
    const pool = await HttpPool.open({ pool: { base_job_template: {} } });
    const { message } = await pushed(pool, { job_variables: { url: "https://other.example/x" } });
    expect(await pool.deliver(message)).toBeNull();
    expect(pool.received).toMatchObject([{ url: "https://other.example/x" }]);
  });

  it("waits while the pool is paused, and names no missing worker", async ({ expect }) => {
    const pool = await HttpPool.open({ pool: { is_paused: true } });
    const id = await aRun(await pool.deployment(await aFlow()));
    expect((await whyOf(id)).map(({ kind }) => kind)).toEqual(["work_pool_paused", "in_line"]);
    await call("PATCH", `/work_pools/${pool.name}`, { is_paused: false });
    expect(await pool.message(1)).toMatchObject({ flow_run_id: id });
    expect((await call("GET", `/work_pools/${pool.name}`)).body).toMatchObject({ status: "READY" });
  });
});

describe("a target that does not take a run", () => {
  it.for([
    { what: "is away", answer: () => Promise.reject(new Error("connection refused")), status: null },
    { what: "answers 503", answer: () => new Response("busy", { status: 503 }), status: 503 },
    { what: "answers 429", answer: () => new Response("", { status: 429 }), status: 429 },
  ])("is asked again later when it $what, and why names it", async ({ answer, status }, { expect }) => {
    const pool = await HttpPool.open();
    pool.answer = answer;
    const { id, message } = await pushed(pool);
    expect(await pool.deliver(message)).toBe(1);
    const [why] = await whyOf(id);
    expect(why).toMatchObject({ kind: "push_failing", details: { attempts: 1, attempts_allowed: 8, status } });
    expect(why?.message).toMatch(/HTTP target flows\.example/);
    expect(await pool.deliver(message)).toBe(2);
    expect(await stateOf(id)).toMatchObject({ type: "PENDING" });
  });

  it("is asked again when it says, within bounds", async ({ expect }) => {
    const pool = await HttpPool.open();
    pool.answer = () => new Response("", { status: 503, headers: { "retry-after": "90" } });
    const { message } = await pushed(pool);
    expect(await pool.deliver(message)).toBe(90);
    pool.answer = () => new Response("", { status: 503, headers: { "retry-after": "86400" } });
    expect(await pool.deliver(message)).toBe(300);
  });

  it("gives the run back after eight attempts, and it is offered under a new claim", async ({ expect }) => {
    const pool = await HttpPool.open();
    pool.answer = () => new Response("", { status: 500 });
    const { id, message } = await pushed(pool);
    for (let attempt = 1; attempt < LIMITS.pushAttempts; attempt++) expect(await pool.deliver(message)).not.toBeNull();
    expect(await pool.deliver(message)).toBeNull();
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED", message: expect.stringMatching(/500.*8 times/) });
    moveClock(1_500);
    await runDurableObjectAlarm(pool.stub);
    expect(await pool.message(2)).toMatchObject({ flow_run_id: id, generation: 2 });
    // A late word of the first claim does not end the second one's push.
    await pool.stub.release(id, 1);
    expect(await pool.stub.nextPush(id, 2)).toMatchObject({ attempt: 1 });
  });

  it("that refuses it three times has it Crashed with each reason, and its letter can be sent again", async ({
    expect,
  }) => {
    const pool = await HttpPool.open();
    pool.answer = () => Response.json({ detail: "The signature is wrong." }, { status: 401 });
    const { id } = await pushed(pool);
    for (let claim = 1; claim <= LIMITS.claimAttempts; claim++) {
      expect(await pool.deliver(await pool.message(claim))).toBeNull();
      moveClock(10_000);
      await runDurableObjectAlarm(pool.stub);
    }
    expect(pool.received).toHaveLength(3);
    const { type, message } = await stateOf(id);
    expect(type).toBe("CRASHED");
    expect(message?.match(/answered 401, not 202 and said: The signature is wrong\./g)).toHaveLength(3);
    type Letter = { id: string; body: object; attempts: number };
    const { body: letters } = await call<Letter[]>("POST", "/dead_letters/filter", { queue: "pushes" });
    const letter = letters.find((one) => one.id === `run_${id}_3`);
    expect(letter?.body).toMatchObject({ flow_run_id: id, reason: expect.stringContaining("401") });

    expect((await call("POST", `/dead_letters/${letter?.id}/replay`)).status).toBe(202);
    await pool.deliver(letter?.body ?? {});
    expect(await pool.message(4)).toMatchObject({ flow_run_id: id, generation: 4 });
    // The letter that comes twice does nothing to a run that goes on.
    await pool.deliver(letter?.body ?? {});
    expect(pool.sent).toHaveLength(4);
  });

  it("that never hears of a run loses it, and why says that the push could not be queued", async ({ expect }) => {
    const pool = await HttpPool.open();
    await runInDurableObject(pool.stub, (instance) => {
      instance.sendPush = () => Promise.reject(new Error("It is not there."));
    });
    const id = await aRun(await pool.deployment(await aFlow(), {}));
    await until("it says so", async () => (await whyOf(id))[0]?.message.startsWith("The push could not be queued."));
    moveClock(31_000);
    await runDurableObjectAlarm(ownerStub(id));
    expect((await stateOf(id)).type).toBe("SCHEDULED");
  });

  it("that accepts a run and does not begin loses it when the time is over", async ({ expect }) => {
    const pool = await HttpPool.open();
    const { id, message } = await pushed(pool);
    await pool.deliver(message);
    moveClock(31_000);
    await runDurableObjectAlarm(ownerStub(id));
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED", message: expect.stringContaining("did not begin") });
  });

  it("keeps the claim for as long as the push is being tried", async ({ expect }) => {
    const pool = await HttpPool.open();
    pool.answer = () => new Response("", { status: 503, headers: { "retry-after": "200" } });
    const { id, message } = await pushed(pool);
    await pool.deliver(message);
    for (const _ of [1, 2, 3]) {
      moveClock(31_000);
      await runDurableObjectAlarm(ownerStub(id));
    }
    expect(await stateOf(id)).toMatchObject({ type: "PENDING" });
    // The message is lost: nothing was heard of it for a minute after its time.
    for (const _ of [1, 2, 3, 4, 5, 6]) {
      moveClock(31_000);
      await runDurableObjectAlarm(ownerStub(id));
    }
    expect((await stateOf(id)).type).toBe("SCHEDULED");
  });

  it.for([
    { what: "redirects", answer: () => Response.redirect("https://10.0.0.1/"), said: "Redirects are not followed" },
    { what: "answers 200", answer: () => new Response("ok"), said: "answered 200, not 202" },
    { what: "answers 404", answer: () => new Response("", { status: 404 }), said: "answered 404" },
  ])("is not asked again when it $what", async ({ answer, said }, { expect }) => {
    const pool = await HttpPool.open();
    pool.answer = answer;
    const { id, message } = await pushed(pool);
    expect(await pool.deliver(message)).toBeNull();
    expect((await stateOf(id)).message).toContain(said);
  });

  it.for([
    { what: "no URL", url: null, more: {}, said: "There is no URL" },
    { what: "a URL of another scheme", url: null, more: urlOf("ftp://a.example/"), said: "neither http nor https" },
    {
      what: "a reference as its URL",
      url: null,
      more: urlOf("https://{{ prefect.blocks.secret.x }}/"),
      said: "reference",
    },
    {
      what: "a signature of its own",
      url: URL_OF_TARGET,
      more: { job_variables: { headers: { "webhook-signature": "x" } } },
      said: "cannot be sent",
    },
  ])("is not called where there is $what", async ({ url, more, said }, { expect }) => {
    const pool = await HttpPool.open({ url });
    const { id, message } = await pushed(pool, more);
    expect(await pool.deliver(message)).toBeNull();
    expect(pool.received).toEqual([]);
    expect((await stateOf(id)).message).toContain(said);
  });
});

describe("the claim of a pushed run", () => {
  it("is taken up by the first process that says hello, and by no other", async ({ expect }) => {
    const pool = await HttpPool.open();
    const { id, message } = await pushed(pool);
    await pool.deliver(message);
    const hello = (session: string, generation = 1) =>
      ownerStub(id).frames(id, [{ type: "hello", protocol: 1, session: session as never, generation }]);
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    expect(await hello(first)).toMatchObject([{ type: "welcome" }]);
    expect(await hello(second)).toMatchObject([{ type: "error", code: "stale_generation" }]);
    await propose(id, "RUNNING");
    expect(await hello(first)).toMatchObject([{ type: "welcome" }]);
    expect(await hello(second)).toMatchObject([{ type: "error" }]);
  });

  it("is given back when the process that took it up goes away before it starts", async ({ expect }) => {
    const pool = await HttpPool.open();
    const { id, message } = await pushed(pool);
    await pool.deliver(message);
    await ownerStub(id).frames(id, [
      { type: "hello", protocol: 1, session: crypto.randomUUID() as never, generation: 1 },
    ]);
    moveClock(31_000);
    await runDurableObjectAlarm(ownerStub(id));
    expect(await stateOf(id)).toMatchObject({ type: "SCHEDULED", message: expect.stringContaining("took it up") });
  });
});

describe("the secrets of an http pool", () => {
  const secret = (letter: string) => `whsec_${btoa(letter.repeat(24))}`;

  it("are encrypted at rest, and one that is made is shown once", async ({ expect }) => {
    const pool = await HttpPool.open();
    expect(pool.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const { results } = await env.DB.prepare("SELECT * FROM push_secrets").all();
    expect(JSON.stringify(results)).not.toContain(pool.secret.slice("whsec_".length));
    expect(JSON.stringify((await call("GET", `/work_pools/${pool.name}`)).body)).not.toContain("whsec_");
  });

  it("sign together while one is being changed", async ({ expect }) => {
    const pool = await HttpPool.open();
    const secrets = [secret("a"), secret("b")];
    const set = await call("PUT", `/work_pools/${pool.name}/push_secrets`, { secrets });
    expect(set).toMatchObject({ status: 200, body: { secrets: 2, secret: null } });
    const { message } = await pushed(pool);
    await pool.deliver(message);
    const [{ request, body } = expect.fail("nothing was pushed")] = pool.received;
    for (const one of secrets) {
      const proof = { headers: request.headers, body, secrets: [one], nowMs: Date.now() };
      expect(await verifyPush(proof)).toMatchObject({ ok: true });
    }
    const old = { headers: request.headers, body, secrets: [pool.secret], nowMs: Date.now() };
    expect(await verifyPush(old)).toMatchObject({ ok: false });
  });

  it("are refused when they are too short, none, too many, or for a pool that pushes nothing", async ({ expect }) => {
    const pool = await HttpPool.open();
    const put = (secrets: string[], name = pool.name) => call("PUT", `/work_pools/${name}/push_secrets`, { secrets });
    for (const secrets of [[btoa("x".repeat(23))], ["not base64!"], [], Array(4).fill(secret("a"))]) {
      const refused = await put(secrets);
      expect(refused.status, String(secrets)).toBe(422);
      for (const one of secrets) expect(JSON.stringify(refused.body)).not.toContain(one);
    }
    expect((await put([secret("a")], (await aPool()).name)).status).toBe(409);
  });

  it("are gone with their pool", async ({ expect }) => {
    const pool = await HttpPool.open();
    const count = () => env.DB.prepare("SELECT count(*) AS n FROM push_secrets").first<{ n: number }>();
    const before = (await count())?.n ?? 0;
    await call("DELETE", `/work_pools/${pool.name}`);
    expect((await count())?.n).toBe(before - 1);
  });
});

describe("a signature", () => {
  it("is that of the example in Standard Webhooks' documentation", async ({ expect }) => {
    const signed = await signaturesOf(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}',
    });
    expect(signed).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });
});

describe("the URL of an http pool", () => {
  const templated = (url: unknown) => ({
    variables: { properties: { url: { type: "string", ...(url === null ? {} : { default: url }) } } },
    job_configuration: { url: "{{ url }}" },
  });

  it.for(["not-a-url", "ftp://a.example/", "https://me:secret@a.example/", "https://{{ prefect.variables.x }}/"])(
    "is refused when the pool is made, and when it is changed: %s",
    async (url, { expect }) => {
      const name = `http-${crypto.randomUUID()}`;
      const path = ["body", "base_job_template", "variables", "properties", "url", "default"];
      const refusal = { status: 422, body: { code: "validation", exception_detail: [{ loc: path }] } };
      const made = (value: unknown) =>
        call("POST", "/work_pools/", { name, type: "http", base_job_template: templated(value) });
      expect(await made(url)).toMatchObject(refusal);
      expect((await call("GET", `/work_pools/${name}`)).status).toBe(404);
      expect((await made(null)).status).toBe(201);
      const changed = (value: unknown) => call("PATCH", `/work_pools/${name}`, { base_job_template: templated(value) });
      expect(await changed(url)).toMatchObject(refusal);
      expect((await changed("https://flows.example.com/run")).status).toBe(204);
    },
  );
});

/** The first and last of each range that is private, and the addresses beside it. */
const PRIVATE =
  "10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 2130706433 0x7f.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 " +
  "192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 255.255.255.255 0.0.0.0 " +
  "[::1] [::] [::ffff:10.0.0.1] [fe80::1] [fd00::1] [64:ff9b::a00:1] [1fff::1] [4000::1] [2002:a00:1::] [2001::1] " +
  "[2001:0:a00::1] [2001:db8::1] localhost localhost. x.localhost printer a.local a.lan metadata.google.internal";
const PUBLIC =
  "a.example flows.acme.workers.dev 8.8.8.8 11.0.0.1 100.63.255.255 100.128.0.1 126.0.0.1 128.0.0.1 169.253.0.1 169.255.0.1 " +
  "172.15.0.1 172.32.0.1 192.0.1.1 192.88.98.1 192.167.0.1 192.169.0.1 198.17.0.1 198.20.0.1 203.0.112.1 223.255.255.255 " +
  "[2606:4700::1111] [2001:4860:4860::8888] [2000::1] [2003::1]";

describe("an address", () => {
  it.for(["http://a.example/", ...PRIVATE.split(" ").map((host) => `https://${host}/`)])(
    "of a private network is refused unless it is allowed: %s",
    (url, { expect }) => {
      expect(refusedAddress(url, false)).toContain("SLUICE_PRIVATE_TARGETS");
      expect(refusedAddress(url, true)).toBeNull();
    },
  );

  it.for(PUBLIC.split(" "))("of the public network is called: %s", (host, { expect }) => {
    expect(refusedAddress(`https://${host}/push`, false)).toBeNull();
  });

  it.for(["", "nonsense", "file:///etc/passwd", "https://user:word@a.example/"])(
    "is refused: %s",
    (url, { expect }) => {
      expect(refusedAddress(url, true)).not.toBeNull();
    },
  );
});
