/** The UI of a server that asks for keys. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createKey } from "../../sdk/protocol/access.ts";
import { controlPlane } from "../e2e/control-plane.ts";
import { BROWSER, openPage, startBrowser } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const ROOT_KEY = "root-key-of-the-test";

describe.skipIf(BROWSER === null)("somebody who is not signed in", () => {
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await startTestServer({ env: { SLUICE_ROOT_KEY: ROOT_KEY } });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  it("is asked for a key, told that a wrong one is none, and gets to the page that was asked for", async ({
    expect,
  }) => {
    const { client } = controlPlane(server.apiUrl, ROOT_KEY);
    const { key } = await client.call(createKey, { body: { name: "looker", role: "viewer" } });
    const { page, troubles } = await openPage(browser);
    await page.goto(`${server.origin}/runs?name=nothing`);
    await page.getByLabel("API key").fill("sluice_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("This key is not valid here.").waitFor();
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No run is like this.").waitFor();
    expect(new URL(page.url()).search).toBe("?name=nothing");
    await page.getByText("looker (viewer)").waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    await page.goto(`${server.origin}/runs`);
    await page.getByLabel("API key").waitFor();
    expect(troubles).toEqual([]);
  });
});
