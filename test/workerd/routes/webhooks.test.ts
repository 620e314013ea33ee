/** Webhooks: what they are made of, what starts a run, and what is refused and starts nothing. */

import { env, exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRun } from "#protocol/flow-runs";
import type { Webhook, WebhookAccepted, WebhookDelivery } from "#protocol/webhooks";
import { createApp } from "../../../worker/app.ts";
import { aDeployment, aPool, call, freshName } from "../support/api.ts";
import { aWorker } from "../support/deployed-runs.ts";
import { hmacHex } from "../support/hmac.ts";
import { movableClock } from "../support/pools.ts";

const moveClock = movableClock();
const SECRET = "s3cret-of-a-webhook";
const SCHEMA = {
  type: "object",
  properties: { order: { type: "integer" }, who: { type: "string" } },
  required: ["order"],
};

async function aWebhook(more: Record<string, unknown> = {}, deployed: Record<string, unknown> = {}) {
  const pool = await aPool();
  const deployment = await aDeployment({
    work_pool_name: pool.name,
    parameter_openapi_schema: SCHEMA,
    parameters: { who: "nobody" },
    ...deployed,
  });
  const slug = freshName("hook");
  const { status, body } = await call<Webhook>("POST", "/webhooks/", {
    slug,
    deployment_id: deployment.id,
    verification: { type: "github" },
    secrets: [SECRET],
    parameters: { order: "{{ body.order.id }}", who: "{{ body.who }}" },
    ...more,
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  const runs = async () =>
    (await call<FlowRun[]>("POST", "/flow_runs/filter", { flow_runs: { deployment_id: { any_: [deployment.id] } } }))
      .body;
  const deliveries = async () =>
    (await call<WebhookDelivery[]>("POST", `/webhooks/${slug}/deliveries/filter`, {})).body;
  return { pool, deployment, slug, webhook: body, runs, deliveries };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly accepted: WebhookAccepted;
}

async function post(path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await exports.default.fetch(`http://localhost:4200${path}`, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, text, accepted: text.startsWith("{") ? JSON.parse(text) : {} };
}

const signed = async (body: string, secret = SECRET) => ({
  "content-type": "application/json",
  "x-hub-signature-256": `sha256=${await hmacHex(secret, body)}`,
});
const deliver = async (slug: string, body: string, more: Record<string, string> = {}) =>
  post(`/hooks/${slug}`, body, { ...(await signed(body)), ...more });

describe("a webhook", () => {
  it("is listed, read, changed and deleted, and never tells its secrets", async ({ expect }) => {
    const { slug, webhook, deployment } = await aWebhook({ tags: ["from-github"] });
    expect(webhook).toMatchObject({ path: `/hooks/${slug}`, secrets: 1, active: true, replay_window_seconds: 300 });
    const listed = await call<Webhook[]>("POST", "/webhooks/filter", { deployment_id: deployment.id });
    expect(listed.body).toEqual([webhook]);
    const changed = await call<Webhook>("PATCH", `/webhooks/${slug}`, { active: false, secrets: ["another", SECRET] });
    expect(changed.body).toMatchObject({ active: false, secrets: 2, parameters: webhook.parameters });
    expect((await call("GET", `/webhooks/${slug}`)).body).toEqual(changed.body);
    expect(JSON.stringify([webhook, listed, changed])).not.toContain(SECRET);
    expect((await call("DELETE", `/webhooks/${slug}`)).status).toBe(204);
    expect((await call("GET", `/webhooks/${slug}`)).status).toBe(404);
  });

  it("has its secrets encrypted, bound to it", async ({ expect }) => {
    const { slug } = await aWebhook();
    const other = await aWebhook();
    const row = await env.DB.prepare("SELECT * FROM webhooks WHERE slug = ?").bind(slug).first();
    expect(JSON.stringify(row)).not.toContain(SECRET);
    expect(row?.["secrets"]).toMatch(/^v1\./);
    await env.DB.prepare("UPDATE webhooks SET secrets = ? WHERE slug = ?").bind(row?.["secrets"], other.slug).run();
    expect((await deliver(other.slug, '{"order":{"id":1}}')).status).toBe(503);
  });

  it("gets an address that nobody guesses unless it is given one", async ({ expect }) => {
    const { deployment } = await aWebhook();
    const request = { deployment_id: deployment.id, verification: { type: "none" } };
    const made = await call<Webhook>("POST", "/webhooks/", request);
    expect(made.body.slug).toMatch(/^[0-9a-f]{20}$/);
    const again = { ...request, slug: made.body.slug };
    expect((await call("POST", "/webhooks/", again)).status).toBe(409);
  });

  it.for([
    [{ verification: { type: "hmac" } }, "header"],
    [{ verification: { type: "github" }, secrets: [] }, "secrets"],
    [{ verification: { type: "standard" }, secrets: ["whsec_?"] }, "secrets"],
    [{ parameters: { a: ["{{ bodi.x }}"] } }, "{{ bodi.x }}"],
    [{ idempotency_key: "{{ }}" }, "{{ }}"],
    [{ idempotency_key: "body.id" }, "idempotency_key holds no placeholder"],
    [{ max_body_bytes: 1_000_001 }, "max_body_bytes"],
    [{ slug: "Up/here" }, "slug"],
  ] as const)("is refused where it says %j", async ([wrong, named], { expect }) => {
    const { deployment } = await aWebhook();
    const request = { deployment_id: deployment.id, verification: { type: "none" }, ...wrong };
    const { status, body } = await call("POST", "/webhooks/", request);
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining(named)]);
  });

  it("is changed in what is said, and keeps the rest", async ({ expect }) => {
    const { slug, webhook } = await aWebhook();
    const change = async (body: object) => call<Webhook>("PATCH", `/webhooks/${slug}`, body);
    const said = {
      idempotency_key: "{{ headers.x-id }}",
      max_body_bytes: 1_000,
      replay_window_seconds: 60,
      tags: ["a"],
    };
    const { body: changed } = await change(said);
    expect(changed).toEqual({ ...webhook, ...said, updated: changed.updated });
    expect((await change({ active: false })).body).toMatchObject({ ...said, active: false });
    expect((await change({ idempotency_key: null })).body).toMatchObject({ ...said, idempotency_key: null });
    expect((await change({ deployment_id: crypto.randomUUID() })).status).toBe(404);
    expect((await change({ verification: { type: "none" }, secrets: [] })).body).toMatchObject({ secrets: 0 });
    expect((await change({ verification: { type: "github" } })).status).toBe(422);
  });

  it("keeps its secrets when the master key changes", async ({ expect }) => {
    const { slug } = await aWebhook();
    const old = (env as { SLUICE_ENCRYPTION_KEYS?: string }).SLUICE_ENCRYPTION_KEYS ?? "";
    const both = { ...env, SLUICE_ENCRYPTION_KEYS: `${btoa("a newer key".padEnd(32, "."))},${old}` };
    const ask = async (path: string, body: string, headers = {}) =>
      createApp().fetch(new Request(`http://localhost:4200${path}`, { method: "POST", body, headers }), both);
    const rotated = await ask("/api/block_documents/rotate", "{}");
    expect(await rotated.json()).toMatchObject({ remaining: 0 });
    const row = await env.DB.prepare("SELECT secrets_key_id AS id, secrets FROM webhooks WHERE slug = ?")
      .bind(slug)
      .first();
    expect(row?.["secrets"]).toContain(row?.["id"]);
    const body = '{"order":{"id":1}}';
    expect((await ask(`/hooks/${slug}`, body, await signed(body))).status).toBe(202);
    // The old key alone cannot read it any more: it has moved.
    expect((await deliver(slug, body)).status).toBe(503);
  });
});

describe("a delivery", () => {
  it("that is signed starts a run with what it carries, on a connected worker", async ({ expect }) => {
    const { pool, slug, webhook, deployment, deliveries } = await aWebhook({ tags: ["hooked"] });
    const worker = await aWorker(pool.name);
    const answer = await deliver(slug, '{"order":{"id":17},"who":"ada"}');
    expect([answer.status, answer.accepted.duplicate]).toEqual([202, false]);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([answer.accepted.flow_run_id]);
    const run = (await call<FlowRun>("GET", `/flow_runs/${answer.accepted.flow_run_id}`)).body;
    expect(run).toMatchObject({
      deployment_id: deployment.id,
      parameters: { order: 17, who: "ada" },
      created_by: { id: webhook.id, type: "WEBHOOK", display_value: slug },
      labels: { "sluice.webhook": slug },
    });
    expect(run.tags).toContain("hooked");
    expect(await deliveries()).toMatchObject([
      { id: answer.accepted.delivery_id, verdict: "accepted", status: 202, flow_run_id: run.id, is_verified: true },
    ]);
    worker.close();
  });

  it("that comes twice is told of the same run, whatever else its sender changes", async ({ expect }) => {
    const { slug, runs, deliveries } = await aWebhook();
    const first = await deliver(slug, '{"order":{"id":1}}', { "x-github-delivery": "a" });
    const again = await deliver(slug, '{"order":{"id":1}}', { "x-github-delivery": "b" });
    expect(again.accepted).toMatchObject({ flow_run_id: first.accepted.flow_run_id, duplicate: true });
    const many = await Promise.all([1, 2, 3, 4].map(() => deliver(slug, '{"order":{"id":2}}')));
    expect(new Set(many.map(({ accepted }) => accepted.flow_run_id)).size).toBe(1);
    expect(await runs()).toHaveLength(2);
    const verdicts = (await deliveries()).map(({ verdict }) => verdict);
    expect(verdicts.filter((verdict) => verdict === "accepted")).toHaveLength(2);
  });

  it("is known by the webhook's own key where it has one", async ({ expect }) => {
    const { slug, runs } = await aWebhook({ idempotency_key: "{{ headers.X-Id }}" });
    const body = '{"order":{"id":1}}';
    for (const id of ["a", "a", "b"]) expect((await deliver(slug, body, { "x-id": id })).status).toBe(202);
    expect(await runs()).toHaveLength(2);
    // Nothing tells these apart from others.
    for (let count = 0; count < 2; count++) expect((await deliver(slug, body)).accepted.duplicate).toBe(false);
    expect(await runs()).toHaveLength(4);
  });

  it("is another one at another webhook of the same deployment", async ({ expect }) => {
    const { slug, webhook, runs } = await aWebhook();
    const other = freshName("hook");
    const { deployment_id, verification, parameters } = webhook;
    await call("POST", "/webhooks/", { slug: other, deployment_id, verification, parameters, secrets: [SECRET] });
    for (const each of [slug, other]) {
      expect((await deliver(each, '{"order":{"id":1}}')).accepted).toMatchObject({ duplicate: false });
    }
    expect(await runs()).toHaveLength(2);
  });

  it("may be nested as deep as any request, and no deeper", async ({ expect }) => {
    const { slug } = await aWebhook({ parameters: { order: 1 } });
    const nested = (levels: number) => deliver(slug, "[".repeat(levels) + "]".repeat(levels));
    expect([(await nested(64)).status, (await nested(65)).status]).toEqual([202, 422]);
  });

  it("fills templates from body, headers and query, and leaves out what is not there", async ({ expect }) => {
    const parameters = {
      order: "{{ query.order }}",
      text: "order {{query.order}} of {{ headers.x-shop }}{{ body.none }}",
      list: ["{{ body.items.0 }}", "{{ body.none }}", 3],
      all: "{{ body }}",
      gone: "{{ body.__proto__ }}",
      fixed: true,
    };
    const { slug } = await aWebhook(
      { verification: { type: "none" }, secrets: [], parameters },
      { parameter_openapi_schema: {} },
    );
    const headers = { "x-shop": "north", "content-type": "application/json" };
    const { accepted } = await post(`/hooks/${slug}?order=9`, '{"items":[{"a":1}]}', headers);
    const run = (await call<FlowRun>("GET", `/flow_runs/${accepted.flow_run_id}`)).body;
    expect(run.parameters).toEqual({
      order: "9",
      text: "order 9 of north",
      list: [{ a: 1 }, null, 3],
      all: { items: [{ a: 1 }] },
      fixed: true,
      who: "nobody",
    });
  });

  it("of a form is read as its fields", async ({ expect }) => {
    const { slug } = await aWebhook(
      { verification: { type: "bearer" }, parameters: { who: "{{ body.user_name }}" } },
      { parameter_openapi_schema: {} },
    );
    const headers = { authorization: `Bearer ${SECRET}` };
    const { accepted } = await post(`/hooks/${slug}`, new URLSearchParams({ user_name: "road runner" }), headers);
    const run = (await call<FlowRun>("GET", `/flow_runs/${accepted.flow_run_id}`)).body;
    expect(run.parameters).toEqual({ who: "road runner" });
  });

  it("is put off and limited as any run of its deployment", async ({ expect }) => {
    const { slug, deployment } = await aWebhook();
    await call("PUT", `/deployments/${deployment.id}/flow_control`, { debounce: { seconds: 600 } });
    const first = await deliver(slug, '{"order":{"id":1}}');
    const second = await deliver(slug, '{"order":{"id":2}}');
    const state = async ({ accepted }: Answer) =>
      (await call<FlowRun>("GET", `/flow_runs/${accepted.flow_run_id}`)).body.state_name;
    expect([await state(first), await state(second)]).toEqual(["Cancelled", "Scheduled"]);
  });
});

describe("a delivery that is refused starts nothing and is kept with the reason:", () => {
  const good = '{"order":{"id":1}}';
  interface Case {
    readonly what: string;
    readonly more?: Record<string, unknown>;
    readonly send: (slug: string) => Promise<Answer>;
    readonly status: number;
    readonly reason: RegExp;
    readonly isVerified?: boolean;
  }
  const slackAt = (ageSeconds: number) => async (slug: string) => {
    const at = String(Math.floor(Date.now() / 1_000) - ageSeconds);
    const signature = await hmacHex(SECRET, `v0:${at}:${good}`);
    return post(`/hooks/${slug}`, good, { "x-slack-request-timestamp": at, "x-slack-signature": `v0=${signature}` });
  };
  const cases: readonly Case[] = [
    {
      what: "a body that was tampered with",
      send: async (slug) => post(`/hooks/${slug}`, '{"order":{"id":2}}', await signed(good)),
      status: 401,
      reason: /No signature/,
    },
    { what: "no signature", send: (slug) => post(`/hooks/${slug}`, good), status: 401, reason: /holds no signature/ },
    {
      what: "another secret",
      send: async (slug) => post(`/hooks/${slug}`, good, await signed(good, "another")),
      status: 401,
      reason: /No signature/,
    },
    {
      what: "a replay after the window",
      more: { verification: { type: "slack" } },
      send: slackAt(301),
      status: 401,
      reason: /replay/,
    },
    {
      what: "one body larger than allowed",
      more: { max_body_bytes: 10 },
      send: (slug) => deliver(slug, good),
      status: 413,
      reason: /larger than the 10 bytes/,
    },
    {
      what: "a body without an end",
      more: { max_body_bytes: 100_000 },
      send: async (slug) => {
        const chunk = new Uint8Array(10_000);
        const endless = new ReadableStream({ pull: (stream) => stream.enqueue(chunk) });
        return post(`/hooks/${slug}`, endless as unknown as BodyInit, await signed(good));
      },
      status: 413,
      reason: /larger than/,
    },
    {
      what: "a webhook that is switched off",
      more: { active: false },
      send: (slug) => deliver(slug, good),
      status: 409,
      reason: /not active/,
    },
    {
      what: "parameters that do not fit",
      send: (slug) => deliver(slug, '{"order":{"id":"many"}}'),
      status: 409,
      reason: /order/,
      isVerified: true,
    },
    {
      what: "no JSON where it is said to be",
      send: (slug) => deliver(slug, "{"),
      status: 400,
      reason: /not JSON/,
      isVerified: true,
    },
    {
      what: "a reference to a variable, however it is written",
      send: (slug) =>
        deliver(slug, '{"order":{"id":{"\\u005f_prefect_kind":"workspace_variable","variable_name":"of-somebody"}}}'),
      status: 400,
      reason: /__prefect_kind/,
      isVerified: true,
    },
    {
      what: "a body that is nested too deep",
      send: (slug) => deliver(slug, "[".repeat(50_000) + "]".repeat(50_000)),
      status: 422,
      reason: /nested/,
      isVerified: true,
    },
  ];

  it.for(cases.map((each) => [each.what, each] as const))("%s", async ([, each], { expect }) => {
    const { slug, runs, deliveries } = await aWebhook(each.more ?? {});
    const answer = await each.send(slug);
    expect([answer.status, answer.text]).toEqual([each.status, expect.stringMatching(each.reason)]);
    expect(await runs()).toEqual([]);
    const [kept] = await deliveries();
    expect(kept).toMatchObject({
      verdict: "refused",
      status: each.status,
      reason: expect.stringMatching(each.reason),
      flow_run_id: null,
      is_verified: each.isVerified ?? false,
    });
    expect(kept?.body === null).toBe(!(each.isVerified ?? false));
  });

  it("one whose deployment is gone", async ({ expect }) => {
    const { slug, deployment, deliveries } = await aWebhook();
    await call("DELETE", `/deployments/${deployment.id}`);
    expect((await deliver(slug, good)).status).toBe(404);
    expect(await deliveries()).toMatchObject([{ verdict: "refused", reason: expect.stringContaining("Deployment") }]);
  });

  it("a signed one is taken up to the window, and refused after it", async ({ expect }) => {
    const { slug } = await aWebhook({ verification: { type: "slack" }, replay_window_seconds: 60 });
    expect((await slackAt(30)(slug)).status).toBe(202);
    moveClock(61_000);
    expect((await slackAt(0)(slug)).status).toBe(401);
  });
});

describe("an address without a webhook", () => {
  it("answers 404, and 405 to what is no POST", async ({ expect }) => {
    expect((await post("/hooks/nobody", "{}")).status).toBe(404);
    expect((await post("/hooks/", "{}")).status).toBe(404);
    const response = await exports.default.fetch("http://localhost:4200/hooks/nobody");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("what is kept of deliveries", () => {
  it("has no header that authorizes or signs", async ({ expect }) => {
    const { slug, deliveries } = await aWebhook({
      verification: { type: "hmac", header: "x-proof" },
      parameters: { order: 1, who: "{{ headers.authorization }}" },
    });
    const body = '{"a":1}';
    const hidden = {
      "x-proof": await hmacHex(SECRET, body),
      authorization: "Bearer tell-nobody",
      cookie: "session=tell-nobody",
      "x-hub-signature": "tell-nobody",
      "x-gitlab-token": "tell-nobody",
      "x-api-key": "tell-nobody",
    };
    const long = { "x-event": "push", "x-long": "a".repeat(5_000) };
    const { accepted } = await post(`/hooks/${slug}?a=1`, body, { ...hidden, ...long });
    const [kept] = await deliveries();
    expect(kept?.headers["x-long"]).toHaveLength(4_096);
    expect(kept).toMatchObject({ headers: { "x-event": "push" }, query: { a: "1" }, body });
    expect(Object.keys(kept?.headers ?? {}).filter((name) => name in hidden)).toEqual([]);
    const run = (await call<FlowRun>("GET", `/flow_runs/${accepted.flow_run_id}`)).body;
    expect(JSON.stringify([kept, run])).not.toContain("tell-nobody");
  });

  it("is a bounded number, and what nobody signed does not drive out what was", async ({ expect }) => {
    const { slug, deliveries } = await aWebhook();
    const { accepted } = await deliver(slug, '{"order":{"id":1}}');
    for (let count = 0; count < 25; count++) await post(`/hooks/${slug}`, "{}");
    const kept = await deliveries();
    expect(kept).toHaveLength(21);
    expect(kept.at(-1)?.id).toBe(accepted.delivery_id);
    for (let count = 0; count < 52; count++) await deliver(slug, '{"order":{"id":1}}');
    const later = (await deliveries()).filter(({ is_verified }) => is_verified);
    expect(later).toHaveLength(50);
  });

  it("can be sent again, which starts another run, unless the webhook is switched off", async ({ expect }) => {
    const { slug, runs, deliveries } = await aWebhook();
    const { accepted } = await deliver(slug, '{"order":{"id":5}}');
    const again = await call<WebhookAccepted>("POST", `/webhooks/${slug}/deliveries/${accepted.delivery_id}/resend`);
    expect([again.status, again.body.duplicate]).toEqual([202, false]);
    expect((await runs()).map(({ parameters }) => parameters["order"])).toEqual([5, 5]);
    expect((await deliveries())[0]).toMatchObject({ resent_from: accepted.delivery_id, verdict: "accepted" });
    const path = `/webhooks/${slug}/deliveries/${accepted.delivery_id}/resend`;
    expect((await call<WebhookAccepted>("POST", path)).body.duplicate).toBe(false);
    await call("PATCH", `/webhooks/${slug}`, { active: false });
    expect((await call("POST", path)).status).toBe(409);
    expect((await deliveries())[0]).toMatchObject({
      resent_from: accepted.delivery_id,
      verdict: "refused",
      status: 409,
    });
    expect(await runs()).toHaveLength(3);
  });

  it("cannot be sent again where its sender had not proved itself", async ({ expect }) => {
    const { slug, runs, deliveries } = await aWebhook();
    await post(`/hooks/${slug}`, "{}");
    const refused = (await deliveries()).find(({ is_verified }) => !is_verified);
    const path = `/webhooks/${slug}/deliveries/${refused?.id}/resend`;
    expect((await call("POST", path)).status).toBe(409);
    expect(await runs()).toEqual([]);
  });
});

describe("a provider's question", () => {
  it("of GitHub and of Slack is answered, and starts nothing", async ({ expect }) => {
    const github = await aWebhook();
    const pong = await deliver(github.slug, '{"zen":"Keep it logically awesome."}', { "x-github-event": "ping" });
    expect([pong.status, pong.text]).toEqual([200, "pong"]);
    const slack = await aWebhook({ verification: { type: "slack" } });
    const body = '{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}';
    const at = String(Math.floor(Date.now() / 1_000));
    const signature = await hmacHex(SECRET, `v0:${at}:${body}`);
    const headers = { "x-slack-request-timestamp": at, "x-slack-signature": `v0=${signature}` };
    const answer = await post(`/hooks/${slack.slug}`, body, headers);
    expect([answer.status, answer.text]).toEqual([200, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"]);
    expect((await post(`/hooks/${slack.slug}`, body)).status).toBe(401);
    for (const { runs, deliveries } of [github, slack]) {
      expect(await runs()).toEqual([]);
      expect((await deliveries()).some(({ verdict }) => verdict === "answered")).toBe(true);
    }
  });
});
