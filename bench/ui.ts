/**
 * The budgets of the UI, measured on a server with 100,000 runs: bytes of the first load, time until the dashboard and
 * the list of runs are there, and frames while a list, a timeline and a log with thousands of rows are scrolled.
 * `node bench/ui.ts [TASKS] [LINES]`; it prints JSON, with what is over its budget in `over`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { controlPlane } from "../test/e2e/control-plane.ts";
import { openPage, startBrowser } from "../test/support/browser.ts";
import { startWorker } from "../test/support/runner.ts";
import { startTestServer } from "../test/support/server.ts";
import { deployShowcase } from "../test/ui/showcase.ts";
import { seedOurs } from "./prefect/seed-ours.ts";
import { RUNS } from "./prefect/seed-runs.ts";

const RUN_MS = 900_000;
const SCROLLS = 60;
const ASSETS = fileURLToPath(new URL("../dist/ui/assets/", import.meta.url));
const BUDGET = { firstLoadKb: 250, dashboardMs: 1_000, taskMs: 50 };
const [tasks = 10_000, lines = 100_000] = process.argv.slice(2).map(Number);

const dataDir = mkdtempSync(join(tmpdir(), "sluice-bench-ui-"));
process.on("exit", () => rmSync(dataDir, { recursive: true, force: true }));
await seedOurs(dataDir, Date.now());
await using server = await startTestServer({ dataDir });
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
// Once unmeasured, as the first request after a start also wakes the server.
await shown("/", () => page.getByRole("heading", { name: "Runs over time" }));
const firstLoadKb = kilobytes(loaded);
const dashboardMs = await shown("/", () => page.getByRole("heading", { name: "Runs over time" }));
const listMs = await shown("/runs", () => page.locator("[data-row-link]"));
const list = await scrolled(".table-scroll");
const timelineMs = await shown(`/runs/${run.id}`, () => page.getByText(`${tasks.toLocaleString("en")} rows`));
const timeline = await scrolled(".timeline-rows");
const tableMs = await shown(`/runs/${run.id}?tab=tasks`, () => page.locator("[data-row-link]"));
const table = await scrolled(".table-scroll");
const logMs = await shown(`/runs/${run.id}?tab=logs`, () => page.locator(".log-line"));
const log = await scrolled(".log");

const measured = {
  state: run.state_name,
  runs: RUNS,
  tasks,
  lines,
  first_load_gzip_kb: firstLoadKb,
  all_gzip_kb: kilobytes(new Set(readdirSync(ASSETS).filter((name) => name.endsWith(".js")))),
  dashboard_ms: dashboardMs,
  list: { shown_ms: listMs, ...list },
  timeline: { shown_ms: timelineMs, ...timeline },
  task_table: { shown_ms: tableMs, ...table },
  log: { shown_ms: logMs, ...log },
};
const over = [
  ...(firstLoadKb > BUDGET.firstLoadKb ? ["first_load_gzip_kb"] : []),
  ...(dashboardMs > BUDGET.dashboardMs ? ["dashboard_ms"] : []),
  ...Object.entries({ list, timeline, task_table: table, log }).flatMap(([name, { longest_ms }]) =>
    longest_ms > BUDGET.taskMs ? [name] : [],
  ),
];
console.log(JSON.stringify({ ...measured, over }, null, 2));

/** Milliseconds from the request of a page until what it is opened for is in it. */
async function shown(path: string, what: () => ReturnType<Page["locator"]>): Promise<number> {
  const startedAt = performance.now();
  await page.goto(`${server.origin}${path}`, { waitUntil: "commit" });
  await what().first().waitFor({ timeout: 60_000 });
  return Math.round(performance.now() - startedAt);
}

function kilobytes(names: ReadonlySet<string>): number {
  let bytes = 0;
  for (const name of names) bytes += gzipSync(readFileSync(ASSETS + name), { level: 9 }).length;
  return Math.round(bytes / 102.4) / 10;
}

/** What a page does when it opens has no part in how it is scrolled: waits for a second without a long task. */
async function settled(): Promise<void> {
  await page.evaluate(`
    window.busyAt = performance.now();
    new PerformanceObserver(() => { busyAt = performance.now(); }).observe({ type: "longtask" });
  `);
  await page.waitForFunction("performance.now() - busyAt > 1000", undefined, { timeout: 60_000 });
}

interface Scrolled {
  readonly long_tasks: number;
  readonly longest_ms: number;
  /** Of the longest task, the processor's time alone: what else the machine does has no part in it. */
  readonly longest_cpu_ms: number;
  /** Pixels that were passed, there and back. */
  readonly scrolled_px: number;
}

/** Scrolls a box by wheel steps, away from where it stands and back, and counts tasks of the main thread over 50 ms. */
async function scrolled(selector: string): Promise<Scrolled> {
  await settled();
  await page.evaluate(`
    window.longTasks = [];
    window.scrolledPx = 0;
    {
      const box = document.querySelector(${JSON.stringify(selector)});
      let last = box.scrollTop;
      box.addEventListener("scroll", () => { scrolledPx += Math.abs(box.scrollTop - last); last = box.scrollTop; });
    }
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: "longtask" });
  `);
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"] });
  await page.locator(selector).first().hover();
  for (const step of [900, -900, 4_000, -4_000]) {
    for (let count = 0; count < SCROLLS; count++) await page.mouse.wheel(0, step);
  }
  await page.waitForTimeout(500);
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const spansMs = (await page.evaluate("longTasks")) as number[];
  return {
    long_tasks: spansMs.length,
    longest_ms: Math.round(Math.max(0, ...spansMs)),
    longest_cpu_ms: Math.round(longestTaskMs(trace.traceEvents)),
    scrolled_px: Math.round((await page.evaluate("scrolledPx")) as number),
  };
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** The processor's time in microseconds. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The longest task of a page's main thread. */
function longestTaskMs(events: readonly TraceEvent[]): number {
  const thread = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const main = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(thread),
  );
  const tasks = events.filter((event) => event.name.endsWith("RunTask") && main.has(thread(event)));
  return Math.max(0, ...tasks.map(({ tdur }) => tdur ?? 0)) / 1_000;
}
