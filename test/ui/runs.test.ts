/** What people do with runs and deployments, in the browser, against a real server and worker. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { filterDeadLetters } from "../../sdk/protocol/dead-letters.ts";
import { readDeployment, updateDeployment } from "../../sdk/protocol/deployments.ts";
import type { FlowRun } from "../../sdk/protocol/flow-runs.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { filterLogs } from "../../sdk/protocol/logs.ts";
import { type ControlPlane, controlPlane } from "../e2e/control-plane.ts";
import { BROWSER, openPage, startBrowser } from "../support/browser.ts";
import { type StartedWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { expectAccessible } from "./accessible.ts";
import { giveUp } from "./dead-letter.ts";
import { deployShowcase, type Showcase } from "./showcase.ts";

const RUN_MS = 45_000;
const PATIENT = { timeout: 20_000 };

describe.skipIf(BROWSER === null)("in the browser, somebody", () => {
  let server: TestServer;
  let worker: StartedWorker;
  let browser: Browser;
  let plane: ControlPlane;
  let made: Showcase;
  let page: Page;
  let troubles: string[];

  beforeAll(async () => {
    server = await startTestServer();
    plane = controlPlane(server.apiUrl);
    made = await deployShowcase(plane);
    worker = await startWorker({ apiUrl: server.apiUrl, pool: "local", limit: 4 });
    browser = await startBrowser();
    ({ page, troubles } = await openPage(browser));
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const open = (path: string) => page.goto(`${server.origin}${path}`);
  const failedRun = async (): Promise<FlowRun> =>
    plane.ends((await plane.trigger(made.orders, { failing: "east" })).id, RUN_MS);
  /** The run whose page is open. */
  const shownRun = (): FlowRunId => new URL(page.url()).pathname.split("/").at(-1) as FlowRunId;

  it("runs a deployment from its form, which holds the values against the schema, and watches it finish", async ({
    expect,
  }) => {
    await open("/deployments");
    await page.getByRole("link", { name: "nightly" }).click();
    await page.getByRole("button", { name: "Run …" }).click();
    const form = page.getByRole("dialog", { name: "Run nightly" });
    await form.getByLabel("limit").fill("9000");
    await form.getByRole("button", { name: "Run", exact: true }).click();
    await form.locator(".field-error").waitFor();
    await form.getByLabel("limit").fill("40");
    await expectAccessible(page, expect);
    await form.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/\/runs\//);
    await page.locator(".facts").getByText("Completed").waitFor({ timeout: RUN_MS });
    await page.getByRole("button", { name: "total-0" }).waitFor();
    expect((await plane.read(shownRun())).parameters).toEqual({ limit: 40 });
    await expect.poll(() => page.locator(".timeline-arrows path").count()).toBe(8);
    await page.getByRole("link", { name: "Artifact: markdown summary" }).click();
    await page.getByText("The sum is").waitFor();
  });

  it("goes from a run to its subflow and back, and opens what ran in it", async ({ expect }) => {
    const run = await plane.ends((await plane.trigger(made.orders)).id, RUN_MS);
    await open(`/runs/${run.id}`);
    await page.getByRole("button", { name: "Open notify-0" }).click();
    await page.locator(".timeline-row").getByRole("link", { name: "extract-0" }).click();
    await page.getByRole("region", { name: /extract-0/ }).waitFor();
    await page.getByText("called by").getByRole("link", { name: run.name }).click();
    await page.getByRole("heading", { name: run.name }).waitFor();
    await page.getByRole("tab", { name: "Related" }).click();
    await expectAccessible(page, expect);
    const related = page.getByRole("tabpanel");
    await related.getByRole("link", { name: "Compare" }).first().waitFor();
    await related.locator("section", { hasText: "Subflows" }).locator("[data-row-link]").click();
    await page.getByText("called by").waitFor();
  });

  it("compares all task runs, however many there are", async ({ expect }) => {
    const { id } = await plane.ends((await plane.trigger(made.many, { tasks: 230 })).id, RUN_MS);
    await open(`/compare?a=${id}&b=${id}`);
    const table = page.getByRole("region", { name: "Task runs" });
    await table.getByText("extract-0", { exact: true }).waitFor();
    expect(await table.getByRole("table").getAttribute("aria-rowcount")).toBe("230");
    await table.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await table
      .getByText(/extract-22\d/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Only the 0 that differ" }).click();
    await page.getByText("All went the same way.").waitFor();
    expect(new URL(page.url()).searchParams.get("differing")).toBe("true");
  });

  it("is led to a line far from the end of a log, and goes on to the end", async ({ expect }) => {
    const { id } = await plane.ends((await plane.trigger(made.many, { tasks: 0, lines: 600 })).id, RUN_MS);
    const [line] = await plane.client.call(filterLogs, {
      body: { logs: { flow_run_id: { any_: [id] } }, sort: "TIMESTAMP_ASC", offset: 300, limit: 1 },
    });
    await open(`/runs/${id}?tab=logs&line=${line?.timestamp}`);
    const log = page.getByRole("log");
    const isShown = (text: string) =>
      log.evaluate((box, wanted) => {
        const found = [...box.querySelectorAll(".log-line")].find((one) => one.textContent?.includes(wanted));
        const [outer, inner] = [box, found].map((one) => one?.getBoundingClientRect());
        return !!inner && !!outer && inner.top >= outer.top && inner.bottom <= outer.bottom;
      }, text);
    await expect.poll(() => isShown(line?.message ?? ""), PATIENT).toBe(true);
    await page.getByRole("button", { name: "Back to the end" }).click();
    await expect.poll(() => isShown("Finished in state Completed"), PATIENT).toBe(true);
    await page.getByRole("button", { name: "To the start" }).click();
    await expect.poll(() => isShown("Started flow"), PATIENT).toBe(true);
  });

  it("finds why a run failed in its first screen", async ({ expect }) => {
    const run = await failedRun();
    await open(`/runs/${run.id}`);
    await page.getByRole("heading", { name: /Task price-\d failed in its attempt 3/ }).waitFor();
    await page.getByText("RangeError: No price for article A-4711 in east").first().waitFor();
    await page.getByText("the price list is older than a day").first().waitFor();
    await page
      .getByText(/orders\.ts:\d+/)
      .first()
      .waitFor();
    await expectAccessible(page, expect);
    await page.getByRole("button", { name: "Look at the task" }).click();
    await page.locator("#task-title").waitFor();
    const bottom = '[scrollY, document.querySelector("#task-title").getBoundingClientRect().bottom < innerHeight]';
    expect(await page.evaluate(bottom)).toEqual([0, true]);
    await page
      .getByRole("region", { name: /price-/ })
      .getByText("AwaitingRetry")
      .first()
      .waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Close the task" }).waitFor({ state: "detached" });
    expect(new URL(page.url()).pathname).toBe(`/runs/${run.id}`);
  });

  it("finds what failed in a subflow from the run above", async () => {
    const run = await plane.ends((await plane.trigger(made.orders, { failing: "head-office" })).id, RUN_MS);
    await open(`/runs/${run.id}`);
    await page.getByRole("heading", { name: "Task price-0 of subflow notify-0 failed in its attempt 3" }).waitFor();
    const broke = page.locator(".broke");
    await broke.getByText("RangeError: No price for article A-4711 in head-office").first().waitFor();
    await broke
      .getByText(/orders\.ts:\d+/)
      .first()
      .waitFor();
    await broke.getByRole("link", { name: "Open the subflow" }).click();
    await page.getByRole("region", { name: "price-0 Failed", exact: true }).waitFor();
    await page.getByText("called by").getByRole("link", { name: run.name }).waitFor();
  });

  it("is not told that a run has no tasks before they are known", async ({ expect }) => {
    const run = await plane.ends((await plane.trigger(made.many, { tasks: 1 })).id, RUN_MS);
    const slow = await openPage(browser);
    let answer = (): void => undefined;
    await slow.page.routeWebSocket(/\/stream$/, (socket) => {
      answer = () => void socket.connectToServer();
    });
    for (const tab of ["timeline", "graph", "tasks"]) {
      await slow.page.goto(`${server.origin}/runs/${run.id}?tab=${tab}`);
      const panel = slow.page.getByRole("tabpanel");
      await panel.locator(".skeleton").waitFor();
      expect(await panel.textContent(), tab).toBe("");
      answer();
      await panel.getByText("extract-0").waitFor();
    }
    await slow.page.context().close();
  });

  it("retries a run, and cannot while it runs", async ({ expect }) => {
    const run = await failedRun();
    await open(`/runs/${run.id}`);
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page
      .locator(".facts")
      .getByText(/Running|Pending|AwaitingRetry|Scheduled/)
      .waitFor();
    await page.getByRole("button", { name: /^Retry \(not now: It has not ended/ }).waitFor();
    await page.locator(".facts").getByText("Failed").waitFor({ timeout: RUN_MS });
    expect((await plane.read(run.id)).run_count).toBe(2);
  });

  it("watches the log of a running run grow, and cancels it", async ({ expect }) => {
    const { id } = await plane.trigger(made.forever);
    await open(`/runs/${id}?tab=logs`);
    const log = page.getByRole("log");
    await log.getByText("looked into the inbox 3 times").waitFor({ timeout: RUN_MS });
    await log.getByText("looked into the inbox 6 times").waitFor();
    await expectAccessible(page, expect);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.locator(".facts").getByText("Cancelled").waitFor({ timeout: RUN_MS });
    expect((await plane.read(id)).state_type).toBe("CANCELLED");
  });

  it("searches a log, and shares a link to a line", async ({ expect }) => {
    const run = await failedRun();
    await open(`/runs/${run.id}?tab=logs`);
    const log = page.getByRole("log");
    await log.getByText("4 regions").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("older than");
    await expect.poll(() => log.locator(".log-line").count()).toBe(3);
    await log.getByRole("button").nth(1).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("line")).toContain("Z");
    await page.reload();
    await log.locator("[data-linked]").waitFor();
  });

  it("filters runs, keeps the filter in the address, and goes back", async ({ expect }) => {
    await failedRun();
    await open("/runs");
    await page.getByRole("button", { name: "Any state" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Failed" }).click();
    await page.keyboard.press("Escape");
    await expect.poll(() => decodeURIComponent(page.url())).toContain('state=["FAILED"]');
    await expect.poll(() => page.getByRole("row").getByText("Completed").count()).toBe(0);
    await expectAccessible(page, expect);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /failed/ }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Failed", exact: true }).waitFor();
    await open("/flows");
    await page.getByRole("link", { name: "daily-orders" }).click();
    await page.getByRole("button", { name: "Only the flow daily-orders: take this filter away" }).click();
    await expect.poll(() => new URL(page.url()).search).toBe("");
  });

  it("filters by what is out of sight, and takes it away by its chip", async ({ expect }) => {
    const { name } = await failedRun();
    await open(`/runs?name=${name}`);
    await page.getByRole("checkbox", { name: `Select ${name}` }).waitFor();
    await page.getByRole("button", { name: "More filters" }).click();
    const filters = page.getByRole("dialog", { name: "More filters" });
    await filters.getByLabel("Also states of this name").fill("TimedOut");
    await page.keyboard.press("Enter");
    await page.getByText("No run is like this.").waitFor();
    await filters.getByLabel("Also states of this name").fill("Failed");
    await page.keyboard.press("Enter");
    await page.getByRole("checkbox", { name: `Select ${name}` }).waitFor();
    await filters.getByLabel("Made by").selectOption("WEBHOOK");
    await page.getByText("No run is like this.").waitFor();
    await expectAccessible(page, expect);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Made by a webhook: take this filter away" }).click();
    await page.getByRole("checkbox", { name: `Select ${name}` }).waitFor();
    expect(new URL(page.url()).searchParams.get("stateNames")).toBe('["TimedOut","Failed"]');
  });

  it("compares two runs, and sees where they part", async ({ expect }) => {
    const bad = await failedRun();
    const good = await plane.ends((await plane.trigger(made.orders, { failing: null })).id, RUN_MS);
    await open("/runs");
    await page.getByRole("checkbox", { name: `Select ${bad.name}` }).check();
    await page.getByRole("checkbox", { name: `Select ${good.name}` }).check();
    await page.getByRole("link", { name: "Compare" }).click();
    await page.getByRole("heading", { name: `${bad.name} and ${good.name}` }).waitFor();
    await page
      .getByRole("row", { name: /failing differs/ })
      .getByText('"east"')
      .waitFor();
    await page.getByRole("row", { name: /^price-2 differs/ }).waitFor();
    await expectAccessible(page, expect);
  });

  it("deletes several runs at once", async ({ expect }) => {
    const run = await failedRun();
    await open(`/runs?name=${run.name}`);
    await page.getByRole("checkbox", { name: `Select ${run.name}` }).check();
    await page.getByRole("button", { name: "Delete 1" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete 1" }).click();
    await page.getByText("No run is like this.").waitFor();
    await expect(plane.read(run.id)).rejects.toThrow("not found");
  });

  it("edits a schedule", async ({ expect }) => {
    await open(`/deployments/${made.orders}`);
    await page.getByText("0 6 * * * (Europe/London)").waitFor();
    await expectAccessible(page, expect);
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("textbox", { name: "Cron expression" }).fill("not a cron");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await page.getByRole("textbox", { name: "Cron expression" }).fill("30 7 * * 1-5");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("30 7 * * 1-5 (Europe/London)").waitFor();
  });

  it("runs the times of a schedule that have passed, after seeing which", async ({ expect }) => {
    await open(`/deployments/${made.orders}`);
    await page.getByRole("button", { name: "New backfill" }).click();
    await page.getByLabel("From").fill("2026-02-02T00:00");
    await page.getByLabel("Until").fill("2026-02-03T23:00");
    await page.getByRole("dialog").getByText("2 runs:").waitFor();
    await expectAccessible(page, expect);
    await page.getByRole("button", { name: "Run them" }).click();
    await page.getByText(/of 2, (running|completed)/).waitFor();
  });

  it("goes back to an earlier version of a deployment", async ({ expect }) => {
    const clone = { repository: "https://ada:token@git.example/shop.git", branch: "main" };
    const pull_steps = [{ "prefect.deployments.steps.git_clone": clone }];
    const body = { parameters: { speed: 2 }, pull_steps };
    await plane.client.call(updateDeployment, { params: { id: made.forever }, body });
    await open(`/deployments/${made.forever}`);
    await page.getByText('"speed": 2').waitFor();
    await page.getByText("git_clone https://git.example/shop.git main").waitFor();
    await page.getByRole("button", { name: "Restore" }).last().click();
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await page.getByText('"speed": 2').waitFor({ state: "detached" });
    expect((await plane.client.call(readDeployment, { params: { id: made.forever } })).parameters).toEqual({});
  });

  it("finds a deployment by a few letters", async () => {
    await open("/");
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("inbo");
    await page.getByRole("option", { name: /inbox/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "inbox" }).waitFor();
  });

  it("is told when the server is gone, and goes on when it is back, without a reload", async ({ expect }) => {
    const { id } = await failedRun();
    await open(`/runs/${id}`);
    await page.getByRole("heading", { name: /Task price-\d failed/ }).waitFor();
    await page.evaluate("window.isSamePage = true");
    await server.kill("SIGTERM");
    await page.getByText("The server does not answer.").waitFor();
    giveUp(server.dataDir, { flow_run_id: id });
    await server.restart();
    await page.getByText("The server does not answer.").waitFor({ state: "detached" });
    await page.getByText("Connecting again").waitFor({ state: "detached" });
    expect(await page.evaluate("window.isSamePage")).toBe(true);
  });

  it("sends a dispatch again that was given up", async ({ expect }) => {
    await open("/work-pools");
    const letters = page.locator("section", { hasText: "Dispatches that were given up" });
    await letters.getByText("9 attempts").waitFor();
    await expectAccessible(page, expect);
    const sent = page.waitForResponse(/dead_letters\/given-up\/replay/);
    await letters.getByRole("button", { name: "Send again" }).click();
    expect((await sent).status()).toBe(202);
    await letters.waitFor({ state: "detached" });
    expect(await plane.client.call(filterDeadLetters, { body: {} })).toEqual([]);
  });

  it("has seen no script fail", ({ expect }) => {
    expect(troubles).toEqual([]);
  });
});
