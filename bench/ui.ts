/**
 * The budgets of the UI, measured: bytes of the first load, time until the dashboard is there, and frames while a run
 * page with thousands of task runs and log lines is scrolled. `node bench/ui.ts [TASKS] [LINES]`; it prints JSON.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { controlPlane } from "../test/e2e/control-plane.ts";
import { openPage, startBrowser } from "../test/support/browser.ts";
import { startWorker } from "../test/support/runner.ts";
import { startTestServer } from "../test/support/server.ts";
import { deployShowcase } from "../test/ui/showcase.ts";

const RUN_MS = 300_000;
const SCROLLS = 60;
const ASSETS = fileURLToPath(new URL("../dist/ui/assets/", import.meta.url));
const [tasks = 5_000, lines = 20_000] = process.argv.slice(2).map(Number);

await using server = await startTestServer();
const plane = controlPlane(server.apiUrl);
const { many } = await deployShowcase(plane);
await using _worker = await startWorker({ apiUrl: server.apiUrl, pool: "local" });
const run = await plane.ends((await plane.trigger(many, { tasks, lines })).id, RUN_MS);
await using browser = await startBrowser();
const { page } = await openPage(browser);

const loaded = new Set<string>();
page.on("response", (response) => {
  const name = new URL(response.url()).pathname.split("/").at(-1) ?? "";
  if (name.endsWith(".js")) loaded.add(name);
});
const dashboardMs = await timed(async () => {
  await page.goto(server.origin);
  await page.getByRole("heading", { name: "Runs over time" }).waitFor();
});
const firstLoadKb = kilobytes(loaded);
const timelineMs = await timed(async () => {
  await page.goto(`${server.origin}/runs/${run.id}`);
  await page.getByText(`${tasks} rows`).waitFor();
});
const timeline = await scrolled(page, ".timeline-rows");
const logMs = await timed(async () => {
  await page.goto(`${server.origin}/runs/${run.id}?tab=logs`);
  await page.locator(".log-line").first().waitFor();
});
const log = await scrolled(page, ".log");

console.log(
  JSON.stringify(
    {
      state: run.state_name,
      tasks,
      lines,
      first_load_gzip_kb: firstLoadKb,
      all_gzip_kb: kilobytes(new Set(readdirSync(ASSETS).filter((name) => name.endsWith(".js")))),
      dashboard_ms: dashboardMs,
      timeline: { shown_ms: timelineMs, ...timeline },
      log: { shown_ms: logMs, ...log },
    },
    null,
    2,
  ),
);

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return Math.round(performance.now() - startedAt);
}

function kilobytes(names: ReadonlySet<string>): number {
  let bytes = 0;
  for (const name of names) bytes += gzipSync(readFileSync(ASSETS + name), { level: 9 }).length;
  return Math.round(bytes / 102.4) / 10;
}

/** Scrolls a box up and down by wheel steps, and counts the tasks of the main thread that took over 50 ms. */
async function scrolled(page: Page, selector: string): Promise<{ long_tasks: number; longest_ms: number }> {
  await page.waitForTimeout(1_000);
  await page.evaluate(`
    window.longTasks = [];
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: "longtask" });
  `);
  await page.locator(selector).hover();
  for (let step = 0; step < SCROLLS; step++) await page.mouse.wheel(0, step < SCROLLS / 2 ? -900 : 900);
  for (let step = 0; step < SCROLLS; step++) await page.mouse.wheel(0, step < SCROLLS / 2 ? 900 : -900);
  await page.waitForTimeout(500);
  const spansMs = (await page.evaluate("longTasks")) as number[];
  return { long_tasks: spansMs.length, longest_ms: Math.round(Math.max(0, ...spansMs)) };
}
