/** The UI of a server on which nothing has happened yet. */
import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "vitest";
import { controlPlane } from "../e2e/control-plane.ts";
import { BROWSER, openPage, startBrowser } from "../support/browser.ts";
import { startTestServer } from "../support/server.ts";
import { cleanEnvironment } from "../support/sluice.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

if (BROWSER === null)
  console.warn("The tests of the UI are skipped: there is no Chromium (or name it in SLUICE_CHROMIUM).");

describe.skipIf(BROWSER === null)("the dashboard of an empty server", () => {
  it("shows commands that make something appear, and notices when it does", async ({ expect }) => {
    await using server = await startTestServer();
    await using browser = await startBrowser();
    const { page, troubles } = await openPage(browser);
    await page.goto(server.origin);
    await page.getByText("Nothing has run here yet").waitFor();
    await page.getByText(`SLUICE_API_URL=${server.apiUrl} node examples/hello.ts`).waitFor();
    await page.getByText(`SLUICE_API_URL=${server.apiUrl} npx sluice worker start --pool local`).waitFor();
    await page.getByText(`SLUICE_API_URL=${server.apiUrl} npm run sluice -- worker start --pool local`).waitFor();
    const { pool } = controlPlane(server.apiUrl);
    await pool("local");
    await page.getByRole("listitem").filter({ hasText: "make a work pool" }).getByText("done").waitFor();
    await page.goto(`${server.origin}/?tags=["nightly"]`);
    await page.getByRole("heading", { name: "Runs over time" }).waitFor();
    expect(await page.getByText("Nothing has run here yet").count()).toBe(0);
    await page.goto(server.origin);
    const commands = (await page.locator("pre").first().textContent()) ?? "";
    const [first = ""] = commands.split("\n");
    await promisify(execFile)("/bin/sh", ["-c", first], {
      cwd: PROJECT,
      env: cleanEnvironment({ PATH: `${dirname(process.execPath)}:/bin:/usr/bin` }),
    });
    await page.getByRole("heading", { name: "Runs over time" }).waitFor();
    await page.getByText(`SLUICE_API_URL=${server.apiUrl} sluice worker start --pool local`).waitFor();
    expect(await page.getByText("Nothing has run here yet").count()).toBe(0);
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByRole("row").getByText("Completed").waitFor();
    expect(troubles).toEqual([]);
  });
});
