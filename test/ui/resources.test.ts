/** What people make and look at beside runs: work pools, blocks, variables, limits, keys. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { filterBlockDocuments } from "../../sdk/protocol/block-documents.ts";
import { installSystemBlockTypes } from "../../sdk/protocol/block-types.ts";
import { createFlowRunInput, filterFlowRunInput } from "../../sdk/protocol/flow-run-inputs.ts";
import { createFlowRun, setFlowRunState } from "../../sdk/protocol/flow-runs.ts";
import { createFlow } from "../../sdk/protocol/flows.ts";
import { StateDetails } from "../../sdk/protocol/states.ts";
import { readVariableByName } from "../../sdk/protocol/variables.ts";
import { type ControlPlane, controlPlane } from "../e2e/control-plane.ts";
import { BROWSER, openPage, startBrowser } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { expectAccessible } from "./accessible.ts";
import { deployShowcase, type Showcase } from "./showcase.ts";

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
    const state_details = { pause_key: "ask", run_input_keyset: { schema: "ask-schema", response: "ask-response" } };
    await client.call(setFlowRunState, {
      params: { id },
      body: { state: { type: "PAUSED", state_details: StateDetails.parse(state_details) } },
    });
    await open(`/runs/${id}`);
    await button("Resume …").click();
    const form = page.getByRole("dialog");
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
    await form.getByLabel(/^Value/).fill('"opensesame"');
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Save" }).click();
    await button("token").click();
    await page.getByRole("dialog", { name: "Secret: token" }).waitFor();
    expect(await page.content()).not.toContain("opensesame");
    const [block] = await plane.client.call(filterBlockDocuments, { body: { include_secrets: true } });
    expect(block?.data).toEqual({ value: "opensesame" });
  });

  it("creates a variable and changes it", async ({ expect }) => {
    await open("/variables");
    await button("New variable").click();
    await page.getByLabel("Name", { exact: true }).last().fill("threshold");
    await page.getByRole("textbox", { name: "Value" }).fill("12");
    await button("Save").click();
    await button("threshold").click();
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

  it.for(["/", "/flows", "/artifacts", "/deployments", "/runs", "/nowhere"])(
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
    const overflows = await narrow.page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(overflows).toBe(false);
  });

  it("has seen no script fail", ({ expect }) => {
    expect(troubles).toEqual([]);
  });
});
