/** What people make and look at beside runs: work pools, blocks, variables, limits, keys. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createBlockDocument, filterBlockDocuments, readBlockDocument } from "../../sdk/protocol/block-documents.ts";
import { filterBlockSchemas } from "../../sdk/protocol/block-schemas.ts";
import { installSystemBlockTypes, readBlockTypeBySlug } from "../../sdk/protocol/block-types.ts";
import { readDeploymentSchedules } from "../../sdk/protocol/deployment-operations.ts";
import { readFlowControl, writeFlowControl } from "../../sdk/protocol/flow-control.ts";
import { createFlowRunInput, filterFlowRunInput } from "../../sdk/protocol/flow-run-inputs.ts";
import { createFlowRun, setFlowRunState } from "../../sdk/protocol/flow-runs.ts";
import { createFlow } from "../../sdk/protocol/flows.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { putSavedSearch } from "../../sdk/protocol/saved-searches.ts";
import { readSchedulePolicy } from "../../sdk/protocol/schedule-policies.ts";
import { StateDetails } from "../../sdk/protocol/states.ts";
import { createTaskRun } from "../../sdk/protocol/task-runs.ts";
import { createVariable, readVariableByName } from "../../sdk/protocol/variables.ts";
import { createWebhook } from "../../sdk/protocol/webhooks.ts";
import { readWorkPool } from "../../sdk/protocol/work-pools.ts";
import { type ControlPlane, controlPlane } from "../e2e/control-plane.ts";
import { BROWSER, openPage, startBrowser } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { expectAccessible } from "./accessible.ts";
import { deployShowcase, type Showcase } from "./showcase.ts";

const DAY_MS = 24 * 3_600_000;

describe.skipIf(BROWSER === null)("in the browser, somebody", () => {
  let server: TestServer;
  let browser: Browser;
  let plane: ControlPlane;
  let made: Showcase;
  let page: Page;
  let troubles: string[];

  beforeAll(async () => {
    server = await startTestServer();
    plane = controlPlane(server.apiUrl);
    made = await deployShowcase(plane);
    await plane.client.call(installSystemBlockTypes);
    browser = await startBrowser();
    ({ page, troubles } = await openPage(browser));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const open = (path: string) => page.goto(`${server.origin}${path}`);
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });

  it("sees why a run waits, and how to start a worker", async ({ expect }) => {
    const run = await plane.trigger(made.orders);
    await open(`/runs/${run.id}`);
    const why = page.getByRole("region", { name: "Why it waits" });
    await why
      .getByText(/worker/)
      .first()
      .waitFor();
    await why.getByText("sluice worker start --pool local").waitFor();
    await expectAccessible(page, expect);
  });

  it("looks at a work pool without workers, pauses it, and lets it go on", async ({ expect }) => {
    await open("/work-pools");
    await page.getByRole("link", { name: "local" }).click();
    await page.getByText("No worker is connected").waitFor();
    await expectAccessible(page, expect);
    await page.getByRole("toolbar").getByRole("button", { name: "Pause" }).click();
    await page.getByRole("heading", { name: "local Paused" }).waitFor();
    await button("Let it go on").click();
    await page.getByRole("heading", { name: "local No worker" }).waitFor();
  });

  it("resumes a run with the input that it asked for, which is held against its schema", async ({ expect }) => {
    const { client } = plane;
    const flow = await client.call(createFlow, { body: { name: "approval" } });
    const { id } = await client.call(createFlowRun, { body: { flow_id: flow.id, state: { type: "RUNNING" } } });
    const schema = {
      type: "object",
      properties: { approved: { type: "boolean", title: "Approved" }, note: { type: "string" } },
      required: ["approved"],
    };
    await client.call(createFlowRunInput, {
      params: { id },
      body: { key: "ask-schema", value: JSON.stringify(schema) },
    });
    await client.call(createFlowRunInput, {
      params: { id },
      body: { key: "ask-description", value: JSON.stringify("Is it **good** enough?") },
    });
    const run_input_keyset = { schema: "ask-schema", description: "ask-description", response: "ask-response" };
    const state_details = { pause_key: "ask", run_input_keyset };
    await client.call(setFlowRunState, {
      params: { id },
      body: { state: { type: "PAUSED", state_details: StateDetails.parse(state_details) } },
    });
    await open(`/runs/${id}`);
    await button("Resume …").click();
    const form = page.getByRole("dialog");
    await form.locator("strong", { hasText: "good" }).waitFor();
    await form.getByRole("button", { name: "Resume" }).click();
    await form.locator(".field-error").waitFor();
    await form.getByLabel("Approved").selectOption("true");
    await form.getByLabel("note").fill("looks good");
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Resume" }).click();
    await page.locator(".facts").getByText("Running").waitFor();
    const [answer] = await client.call(filterFlowRunInput, { params: { id }, body: { prefix: "ask-response" } });
    expect(JSON.parse(answer?.value ?? "")).toEqual({ approved: true, note: "looks good" });
  });

  it("creates a block with a secret, which is not shown again", async ({ expect }) => {
    await open("/blocks");
    await button("New block").click();
    await button("New Secret").click();
    const form = page.getByRole("dialog", { name: "New Secret" });
    await form.getByLabel("Name").fill("token");
    await form.getByLabel(/^Value/).fill("opensesame");
    await form.getByText("Taken as a text.").waitFor();
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Save" }).click();
    await button("token").click();
    await page.getByRole("dialog", { name: "Secret: token" }).waitFor();
    expect(await page.content()).not.toContain("opensesame");
    const [block] = await plane.client.call(filterBlockDocuments, { body: { include_secrets: true } });
    expect(block?.data).toEqual({ value: "opensesame" });
  });

  it("empties a field of a block, whose secret stays", async ({ expect }) => {
    const { client } = plane;
    const { id: block_type_id } = await client.call(readBlockTypeBySlug, { params: { slug: "webhook" } });
    const [schema] = await client.call(filterBlockSchemas, {
      body: { block_schemas: { block_type_id: { any_: [block_type_id] } } },
    });
    const data = { url: "https://example.com/opensesame", method: "PUT", headers: { Accept: "text/plain" } };
    const { id } = await client.call(createBlockDocument, {
      body: { name: "hook", data, block_type_id, block_schema_id: schema?.id ?? "" },
    });
    await open("/blocks");
    await button("hook").click();
    const form = page.getByRole("dialog", { name: "Webhook: hook" });
    await form.getByLabel(/^Method/).selectOption("");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "detached" });
    const after = await client.call(readBlockDocument, { params: { id }, query: { include_secrets: "true" } });
    expect(after.data).toEqual({ url: data.url, headers: data.headers });
  });

  it("sees the result of a run, and where that of a task lies", async ({ expect }) => {
    const { client } = plane;
    const flow = await client.call(createFlow, { body: { name: "results" } });
    const data = { storage_key: "runs/total", serializer: { type: "json" }, expiration: "2031-02-03T04:05:06Z" };
    const { id } = await client.call(createFlowRun, {
      body: { flow_id: flow.id, state: { type: "COMPLETED", data: { sum: 42 } } },
    });
    const task = await client.call(createTaskRun, {
      body: { flow_run_id: id, name: "total", task_key: "total", dynamic_key: "0", state: { type: "COMPLETED", data } },
    });
    await open(`/runs/${id}?tab=parameters`);
    await page.getByText('"sum": 42').waitFor();
    await open(`/runs/${id}?tab=tasks&task=${task.id}`);
    const panel = page.getByRole("region", { name: /^total/ });
    await panel.getByText("runs/total").waitFor();
    await panel.locator("time[datetime^='2031-02-03']").waitFor();
    await expectAccessible(page, expect);
  });

  it("copies a run, and is told why not as a command", async ({ expect }) => {
    const run = await plane.trigger(made.orders);
    const actions = page.getByRole("toolbar", { name: "Actions" });
    const copy = actions.getByRole("button", { name: "Copy" });
    await open(`/runs/${run.id}`);
    await page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }");
    await copy.click();
    await page.getByRole("menuitem", { name: "As a command" }).click();
    await actions.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate("window.copied")).toBe(
      `SLUICE_API_URL=${server.apiUrl} sluice deployment run daily-orders/nightly`,
    );
    await page.evaluate("navigator.clipboard.writeText = async () => { throw new Error('no'); }");
    await copy.click();
    await page.getByRole("menuitem", { name: "The id" }).click();
    await actions.getByRole("button", { name: "Not allowed here" }).waitFor();
    const flow = await plane.client.call(createFlow, { body: { name: "by-hand" } });
    const alone = await plane.client.call(createFlowRun, { body: { flow_id: flow.id } });
    await open(`/runs/${alone.id}`);
    await copy.click();
    await page.getByText("It is of no deployment").waitFor();
    await page.keyboard.press("Escape");
  });

  it("is told when saved views cannot be read, or one not be deleted", async ({ expect }) => {
    const fault = { status: 422, json: { code: "validation", detail: "The disk is full.", fix: "Make room." } };
    const address = "**/api/saved_searches/filter";
    await plane.client.call(putSavedSearch, { body: { name: "mine", filters: [] } });
    await page.route(address, (route) => route.fulfill(fault));
    await open("/runs");
    await button("Views").click();
    const menu = page.getByRole("menu");
    await menu.getByText("The disk is full.").waitFor();
    expect(await menu.getByText("No view is saved yet.").count()).toBe(0);
    await page.unroute(address);
    await menu.getByRole("button", { name: "Try again" }).click();
    await page.route("**/api/saved_searches/*", (route) => route.fulfill(fault));
    await menu.getByRole("menuitem", { name: "Delete “mine”" }).click();
    await menu.getByText("The view was not deleted").waitFor();
    await page.unroute("**/api/saved_searches/*");
    await menu.getByRole("menuitem", { name: "Delete “mine”" }).click();
    await menu.getByText("No view is saved yet.").waitFor();
    await page.keyboard.press("Escape");
  });

  it("sees how the server is, and what it gave up", async ({ expect }) => {
    const letter = { id: "x", queue: "pushes", body: { to: 1 }, attempts: 9, created: new Date().toISOString() };
    const address = "**/api/dead_letters/filter";
    await open("/settings");
    const health = page.locator("section").filter({ has: page.getByRole("heading", { name: "Health" }) });
    await health.getByText("are served").waitFor();
    await health.getByText("ready, with this version").waitFor();
    await health.getByText("none").waitFor();
    // No test waits until a push is given up.
    await page.route(address, (route) => route.fulfill({ json: [letter] }));
    await page.reload();
    await health.getByText("1 of pushes").waitFor();
    await page.getByText('{"to":1}').waitFor();
    await expectAccessible(page, expect);
    await page.unroute(address);
    await page.route("**/api/ready", (route) =>
      route.fulfill({ status: 503, json: { code: "unavailable", detail: "The schema is an older one." } }),
    );
    await page.reload();
    await health.getByText("The schema is an older one.").waitFor({ timeout: 20_000 });
    await page.unroute("**/api/ready");
  });

  it("creates a variable and changes it", async ({ expect }) => {
    await open("/variables");
    await button("New variable").click();
    await page.getByLabel("Name", { exact: true }).last().fill("threshold");
    await page.getByRole("textbox", { name: "Value" }).fill("12");
    await button("Save").click();
    await button("threshold").click();
    await page.getByRole("textbox", { name: "Value" }).fill('{"low": 3');
    await button("Save").click();
    await page.getByText("This is not JSON").waitFor();
    expect((await plane.client.call(readVariableByName, { params: { name: "threshold" } })).value).toBe(12);
    await page.getByRole("textbox", { name: "Value" }).fill('{"low": 3}');
    await button("Save").click();
    await page.getByText('{"low":3}').waitFor();
    const { value } = await plane.client.call(readVariableByName, { params: { name: "threshold" } });
    expect(value).toEqual({ low: 3 });
    await expectAccessible(page, expect);
  });

  it("creates a limit, and sees that nobody holds it", async ({ expect }) => {
    await open("/limits");
    await button("New limit").click();
    await page.getByLabel("Name", { exact: true }).last().fill("api");
    await page.getByLabel("Slots", { exact: true }).fill("3");
    await button("Save").click();
    await page.getByText("0 of 3").waitFor();
    await expectAccessible(page, expect);
    await button("api").click();
    await page.getByRole("dialog", { name: "api" }).getByText("Nobody holds a slot.").waitFor();
  });

  it("makes a key, which is shown once, and revokes it", async ({ expect }) => {
    await open("/settings");
    await button("New key").click();
    await page.getByLabel("Name").fill("machine");
    await button("Make it").click();
    await page.getByText(/^sluice_/).waitFor();
    await page.keyboard.press("Escape");
    await expectAccessible(page, expect);
    await button("Revoke").click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("No key was made yet.").waitFor();
    await expect.poll(() => page.content()).not.toMatch(/sluice_[A-Za-z0-9_-]{43}/);
  });

  it("makes a webhook, sees what was sent to it, and sends it again", async ({ expect }) => {
    await open("/webhooks");
    await button("New webhook").click();
    const form = page.getByRole("dialog", { name: "New webhook" });
    await form.getByLabel("Starts runs of").fill("daily-orders/nightly");
    await form.getByLabel("End of its address").fill("orders");
    await form.getByLabel("Sender").selectOption("A token (Bearer)");
    await form.getByRole("button", { name: "Make one up" }).click();
    const secret = await form.getByLabel("Secret").inputValue();
    await form.getByRole("textbox", { name: "Parameters" }).fill('{"limit": "{{ body.limit }}"}');
    await form.getByLabel("Bytes of a body at most").fill("2000");
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText(`${server.origin}/hooks/orders`).waitFor();
    await page.getByText("2,000 bytes").waitFor();
    await page.getByText("Nothing was sent yet.").waitFor();
    expect(await page.content()).not.toContain(secret);
    const send = (key: string) =>
      fetch(`${server.origin}/hooks/orders`, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
        body: '{"limit": 7}',
      });
    expect((await send("somebody else's")).status).toBe(401);
    expect((await send(secret)).status).toBe(202);
    const row = (verdict: string) => page.getByRole("row").filter({ has: button(verdict) });
    await row("refused")
      .getByRole("button", { name: /^Send again \(not now/ })
      .waitFor();
    await button("accepted").click();
    await page.getByText('"limit": 7').waitFor();
    await expectAccessible(page, expect);
    await row("accepted").getByRole("button", { name: "Send again", exact: true }).click();
    const again = page.getByRole("status").getByRole("link", { name: "another run" });
    const id = (await again.getAttribute("href"))?.split("/").at(-1) as FlowRunId;
    expect((await plane.read(id)).parameters).toEqual({ limit: 7 });
    await button("Turn off").click();
    await page.getByText("It is off").waitFor();
    expect((await send(secret)).status).toBe(409);
  });

  it("sees the next times of a schedule while it is typed, and when its clock is set", async ({ expect }) => {
    await open(`/deployments/${made.forever}`);
    await button("Add a schedule").click();
    const form = page.getByRole("dialog");
    const next = form.getByRole("status", { name: "Next times" }).getByRole("listitem");
    await form.getByRole("textbox", { name: "Cron expression" }).fill("99 6 1 * *");
    await form.getByText("Invalid cron string").waitFor();
    await form.getByRole("textbox", { name: "Cron expression" }).fill("0 6 1 * *");
    await form.getByLabel("Time zone").fill("America/New_York");
    await expect.poll(() => next.count()).toBe(10);
    // Ten months hold both changes of the clock, or one and nearly the other.
    await next
      .getByText(/clock changes to GMT-[45]/)
      .first()
      .waitFor();
    await next.getByText("06:00 AM E", { exact: false }).first().waitFor();
    await form.getByLabel("When an earlier run has not ended").selectOption("The new one is left out");
    await form.getByLabel("Times that were missed").selectOption("The last one runs");
    await form.getByLabel("Seconds over which starts are spread").fill("30");
    await form.getByLabel("Not after").fill(new Date(Date.now() + 75 * DAY_MS).toISOString().slice(0, 16));
    await expect.poll(() => next.count()).toBeLessThan(4);
    await form.getByLabel("Not after").fill("2031-01-01T00:00");
    await expect.poll(() => next.count()).toBe(10);
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("0 6 1 * * (America/New_York)").waitFor();
    const [schedule] = await plane.client.call(readDeploymentSchedules, { params: { id: made.forever } });
    const params = { id: made.forever, schedule_id: schedule?.id ?? "" };
    expect(await plane.client.call(readSchedulePolicy, { params })).toMatchObject({
      overlap: "SKIP",
      catch_up: "LAST",
      jitter: 30,
      end_at: expect.stringContaining("2031-01-01"),
    });
  });

  it("bounds the runs of a deployment", async ({ expect }) => {
    await open(`/deployments/${made.orders}`);
    await button("Change").click();
    const form = page.getByRole("dialog", { name: "Concurrency of nightly" });
    await form.getByLabel("Runs at once", { exact: true }).fill("2");
    await form.getByLabel("One more", { exact: true }).selectOption("is cancelled");
    await form.getByLabel("Runs of a key at once").fill("1");
    await form.getByLabel("Key", { exact: true }).fill("customer");
    await form.getByRole("button", { name: "Save" }).click();
    await form
      .getByRole("alert")
      .getByText(/must begin with parameters/)
      .first()
      .waitFor();
    await form.getByLabel("Key", { exact: true }).fill("parameters.customer");
    await form.getByLabel("One more of a key").selectOption("waits; keys take turns");
    await form.getByLabel("Debounce").fill("5");
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("0 of 2, one more is cancelled").waitFor();
    await page.getByText("1 by parameters.customer, one more waits; keys take turns").waitFor();
    const params = { id: made.orders };
    expect(await plane.client.call(readFlowControl, { params })).toMatchObject({
      concurrency: { key: "parameters.customer", limit: 1, strategy: "round-robin" },
      debounce: { key: null, seconds: 5 },
      throttle: null,
    });
    await plane.client.call(writeFlowControl, { params, body: { on_lost: "retry", time_to_live_seconds: 60 } });
    await page.reload();
    await button("Change").click();
    await form.getByLabel("Seconds after which a run that has not").fill("90");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("1 m 30 s").waitFor();
    const control = async () => await plane.client.call(readFlowControl, { params });
    expect(await control()).toMatchObject({ on_lost: "retry", time_to_live_seconds: 90 });
    await button("Change").click();
    await form.getByLabel("A run whose process crashes").selectOption("ends Crashed");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("ends Crashed").waitFor();
    expect(await control()).toMatchObject({ on_lost: "crash" });
    await plane.client.call(writeFlowControl, { params, body: {} });
  });

  it("asks for a run later, by a link to the form", async ({ expect }) => {
    await open(`/deployments/${made.orders}?open=run`);
    const form = page.getByRole("dialog", { name: "Run nightly" });
    await form.getByRole("button", { name: "Later" }).click();
    await form.getByLabel("Start", { exact: true }).fill("2031-02-03T04:05");
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Schedule it" }).click();
    await page.locator(".facts").getByText("Scheduled").waitFor();
    await page.getByText("It is scheduled for").locator("time[title^=in]").waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1) as FlowRunId;
    const { expected_start_time } = await plane.read(id);
    expect(Date.parse(expected_start_time ?? "")).toBe(new Date("2031-02-03T04:05").getTime());
    await page.goBack();
    await form.waitFor();
    await page.goBack();
  });

  it("changes a job template, but not to one that is none", async ({ expect }) => {
    await open("/work-pools/local");
    const template = page.getByRole("textbox", { name: "Job template" });
    await template.fill('{"job_configuration": {"command": "{{ nothing }}"}}');
    await page.locator(".field-error").first().waitFor();
    await page.getByRole("button", { name: /^Save \(not now: It is not valid yet/ }).waitFor();
    await template.fill(
      '{"job_configuration": {"command": "true"}, "variables": {"type": "object", "properties": {}}}',
    );
    await button("Save").click();
    await page.getByRole("button", { name: /^Save \(not now: It is as it was/ }).waitFor();
    const { base_job_template } = await plane.client.call(readWorkPool, { params: { name: "local" } });
    expect(base_job_template).toMatchObject({ job_configuration: { command: "true" } });
  });

  it("scrolls a list on to its end, however long it is, and filters all of it", async ({ expect }) => {
    const last = 203;
    const slugs = Array.from({ length: last + 1 }, (_, index) => `sender-${String(index).padStart(3, "0")}`);
    await Promise.all(
      slugs.map((slug) =>
        plane.client.call(createWebhook, {
          body: { slug, deployment_id: made.orders, verification: { type: "none" } },
        }),
      ),
    );
    await open("/webhooks");
    const table = page.getByRole("region", { name: "Webhooks" });
    await table.getByRole("link", { name: "sender-000" }).waitFor();
    expect(await table.getByRole("table").getAttribute("aria-rowcount")).toBe("-1");
    await table.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await expect.poll(() => table.getByRole("table").getAttribute("aria-rowcount")).not.toBe("-1");
    await table.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await table.getByRole("link", { name: `sender-${last}` }).waitFor();
    await open(`/webhooks?name=sender-${last}`);
    await table.getByRole("link", { name: `sender-${last}` }).waitFor();
    await expect.poll(() => table.getByRole("table").getAttribute("aria-rowcount")).toBe("1");
    // Digits alone are a name, too.
    await open(`/webhooks?name=${last}`);
    await table.getByRole("link", { name: `sender-${last}` }).waitFor();
    await expect.poll(() => table.getByRole("table").getAttribute("aria-rowcount")).toBe("1");
  });

  it("goes back from what is open over a page to the page, and from there to the one before", async ({ expect }) => {
    await plane.client.call(createVariable, { body: { name: "kept", value: 1 } });
    await open("/artifacts");
    await page.getByRole("link", { name: "Variables" }).click();
    const path = () => new URL(page.url()).pathname + new URL(page.url()).search;
    const dialog = page.getByRole("dialog");
    const over = [
      () => page.getByRole("row").filter({ hasText: "kept" }).getByRole("button", { name: "Delete" }).click(),
      () => button("New variable").click(),
      () => button("kept").click(),
      () => page.keyboard.press("Control+k"),
    ];
    await button("kept").waitFor();
    for (const opens of over) {
      for (const closes of [() => page.goBack(), () => page.keyboard.press("Escape")]) {
        await opens();
        await dialog.waitFor();
        await closes();
        await dialog.waitFor({ state: "detached" });
        expect(path()).toBe("/variables");
      }
    }
    await over[0]?.();
    await page.reload();
    await button("kept").waitFor();
    expect(await dialog.count()).toBe(0);
    await page.goBack();
    await page.goBack();
    await page.getByRole("heading", { name: "Artifacts" }).waitFor();
    await open("/blocks");
    await button("New block").click();
    await button("New Secret").click();
    await expect.poll(path).toBe("/blocks?open=new-secret");
    await page.goBack();
    await dialog.getByText("What kind of block?").waitFor();
    await page.goForward();
    await page.reload();
    await dialog.getByLabel("Name").waitFor();
  });

  it.for([
    ["/", "dashboard"],
    ["/runs", "flow_runs/filter"],
    ["/flows", "flows/filter"],
    ["/deployments", "deployments/filter"],
    ["/webhooks", "webhooks/filter"],
    ["/work-pools", "work_pools/filter"],
    ["/limits", "v2/concurrency_limits/filter"],
    ["/blocks", "block_documents/filter"],
    ["/variables", "variables/filter"],
    ["/artifacts", "artifacts/latest/filter"],
    ["/settings", "admin/settings"],
  ] as const)("is told when %s cannot be read, and reads it again", async ([path, operation], { expect }) => {
    const address = `**/api/${operation}`;
    await page.route(address, (route) =>
      route.fulfill({ status: 422, json: { code: "validation", detail: "The disk is full.", fix: "Make room." } }),
    );
    await open(path);
    const alert = page.getByRole("alert").filter({ hasText: "The disk is full." });
    await alert.getByText("Make room.").waitFor();
    await expectAccessible(page, expect);
    await page.unroute(address);
    await alert.getByRole("button", { name: "Try again" }).click();
    await alert.waitFor({ state: "detached" });
    await page.getByRole("heading", { level: 1 }).waitFor();
  });

  it("asks for nothing while nobody looks", async ({ expect }) => {
    const hidden = await openPage(browser);
    await hidden.page.clock.install();
    let requests = 0;
    hidden.page.on("request", () => requests++);
    hidden.page.on("websocket", () => requests++);
    const run = await plane.trigger(made.orders);
    const paths = ["/", "/runs", `/runs/${run.id}`, "/deployments", `/deployments/${made.orders}`, "/webhooks"];
    for (const path of [...paths, "/work-pools", "/work-pools/local", "/limits", "/artifacts"]) {
      await hidden.page.goto(`${server.origin}${path}`);
      await hidden.page.getByRole("heading", { level: 1 }).waitFor();
      await hidden.page.locator(".skeleton").first().waitFor({ state: "detached" });
      await look(hidden.page, false);
      requests = 0;
      await hidden.page.clock.runFor(60_000);
      expect(requests, path).toBe(0);
      await look(hidden.page, true);
      await hidden.page.clock.runFor(20_000);
      await expect.poll(() => requests, { message: path }).toBeGreaterThan(0);
    }
    await hidden.page.context().close();
  });

  it.for(["/", "/flows", "/artifacts", "/deployments", "/webhooks", "/runs", "/nowhere"])(
    "reads %s by a screen reader",
    async (path, { expect }) => {
      await open(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator(".skeleton").first().waitFor({ state: "detached" });
      await expectAccessible(page, expect);
    },
  );

  it("reads a page by a screen reader in the dark, on a narrow screen", async ({ expect }) => {
    const narrow = await openPage(browser, { width: 390, height: 800, dark: true });
    await narrow.page.goto(`${server.origin}/runs`);
    await narrow.page.getByRole("table").waitFor();
    await narrow.page.getByRole("button", { name: "Menu" }).click();
    await narrow.page.getByRole("link", { name: "Variables" }).waitFor();
    await expectAccessible(narrow.page, expect);
    const overflows = () => narrow.page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(await overflows()).toBe(false);
    await narrow.page.goto(`${server.origin}/webhooks/orders`);
    await narrow.page.getByText("refused").first().waitFor();
    expect(await overflows()).toBe(false);
  });

  it("has seen no script fail", ({ expect }) => {
    expect(troubles).toEqual([]);
  });
});

/** Says to the page that it is looked at, or that another one is: a headless browser has no tabs to change. */
async function look(page: Page, isVisible: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, "hidden", { value: ${!isVisible}, configurable: true });
    Object.defineProperty(document, "visibilityState", { value: "${isVisible ? "visible" : "hidden"}", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  `);
}
