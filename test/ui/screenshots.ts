/**
 * Pictures of every screen: `node test/ui/screenshots.ts FOLDER [PARTS-OF-NAMES [jpeg]]`, with
 * commas between the parts. It starts a server and a worker of its own, runs
 * flows that succeed, fail and go on, and looks at each page light and dark, wide and narrow.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createKey } from "../../sdk/protocol/access.ts";
import { readDeploymentSchedules } from "../../sdk/protocol/deployment-operations.ts";
import { createFlowRunFromDeployment } from "../../sdk/protocol/deployments.ts";
import type { JsonObject } from "../../sdk/protocol/flow-runs.ts";
import { createWebhook } from "../../sdk/protocol/webhooks.ts";
import { controlPlane } from "../e2e/control-plane.ts";
import { openPage, startBrowser } from "../support/browser.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer } from "../support/server.ts";
import { deployShowcase } from "./showcase.ts";

const folder = process.argv[2] ?? "screenshots";
const only = process.argv[3]?.split(",");
const type = process.argv[4] === "jpeg" ? "jpeg" : "png";
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
mkdirSync(folder, { recursive: true });
await using server = await startTestServer();
const plane = controlPlane(server.apiUrl);
await using browser = await startBrowser();

const KEYS = [
  ["laptop-of-ada", "operator"],
  ["worker-in-the-cellar", "worker"],
] as const;
const LOOKS = [
  { name: "light", width: 1_360, height: 860, dark: false },
  { name: "dark", width: 1_360, height: 860, dark: true },
  { name: "narrow", width: 390, height: 800, dark: false },
];

/** A picture does not say where it was taken: the project's folder is shown as another one. */
const WITHOUT_PLACE = `{
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.nodeValue.replaceAll(${JSON.stringify(PROJECT)}, "/home/ada/shop/");
    if (text !== node.nodeValue) node.nodeValue = text;
  }
}`;

/** `broken` is an operation of the API that fails meanwhile. */
async function shoot(name: string, path: string, waitFor: string, broken?: string): Promise<void> {
  if (only && !only.some((part) => name.includes(part))) return;
  for (const look of LOOKS) {
    const { page, troubles } = await openPage(browser, look);
    const fault = { code: "validation", detail: "The database is locked.", fix: "Look at the log of the server." };
    if (broken) await page.route(`**/api/${broken}`, (route) => route.fulfill({ status: 422, json: fault }));
    await page.goto(`${server.origin}${path}`);
    await page.getByText(waitFor).first().waitFor();
    await page.waitForTimeout(250);
    await page.evaluate(WITHOUT_PLACE);
    const file = join(folder, `${name}-${look.name}.${type}`);
    const fullPage = look.name !== "narrow";
    await page.screenshot(type === "jpeg" ? { path: file, type, quality: 70 } : { path: file, type, fullPage });
    for (const trouble of troubles) console.error(`${name}: ${trouble}`);
    await page.context().close();
  }
}

await shoot("dashboard-empty", "/", "Nothing has run here yet");
await shoot("runs-empty", "/runs", "Nothing has run yet");
await shoot("deployments-empty", "/deployments", "There is no deployment yet");
await shoot("webhooks-empty", "/webhooks", "A webhook is an address");
await shoot("work-pools-empty", "/work-pools", "A work pool hands runs");

const { orders, forever, many } = await deployShowcase(plane);
await shoot("work-pool-empty", "/work-pools/local", "No worker is connected");
await shoot("dashboard-no-worker", "/", "worker start --pool local");
await shoot("settings-empty", "/settings", "No key was made yet");
await using _worker = await startWorker({ apiUrl: server.apiUrl, pool: "local", limit: 4 });
const start = async (id: typeof orders, parameters: JsonObject = {}) =>
  await plane.client.call(createFlowRunFromDeployment, { params: { id }, body: { parameters, tags: ["nightly"] } });
const good = await start(orders);
const bad = await start(orders, { failing: "east" });
await plane.ends(good.id, 60_000);
await plane.ends(bad.id, 60_000);
const more = await Promise.all([
  start(orders),
  start(orders, { failing: "west" }),
  start(orders),
  start(orders, { regions: ["north"] }),
]);
const big = await start(many, { tasks: 300, lines: 2_000 });
for (const { id } of [...more, big]) await plane.ends(id, 120_000);
const running = await start(forever);
await plane.reaches(running.id, "RUNNING", 30_000);

const headers = { Authorization: "Bearer a-secret-that-is-long-enough", "Content-Type": "application/json" };
await plane.client.call(createWebhook, {
  body: {
    slug: "shop-orders",
    deployment_id: orders,
    verification: { type: "bearer" },
    secrets: ["a-secret-that-is-long-enough"],
    parameters: { limit: "{{ body.count }}" },
  },
});
for (const sent of [headers, { ...headers, Authorization: "Bearer guessed" }]) {
  await fetch(`${server.origin}/hooks/shop-orders`, { method: "POST", headers: sent, body: '{"count": 12}' });
}
await shoot("dashboard", "/", "Runs over time");
await shoot("dashboard-failing", "/", "The database is locked", "dashboard");
await shoot("runs-failing", "/runs", "The database is locked", "flow_runs/filter");
await shoot("run-failing", `/runs/${good.id}`, "The database is locked", `flow_runs/${good.id}`);
await shoot(
  "deployment-failing",
  `/deployments/${orders}`,
  "The database is locked",
  "**/{flow_control,versions,backfills}*",
);
await shoot("runs", "/runs?plot=true", "daily-orders");
await shoot("run-failed", `/runs/${bad.id}`, "No price for article");
await shoot("run-completed", `/runs/${good.id}`, "extract");
await shoot("run-graph", `/runs/${good.id}?tab=graph`, "total");
await shoot("run-tasks", `/runs/${good.id}?tab=tasks`, "total");
await shoot("run-logs", `/runs/${big.id}?tab=logs`, "Finished in state Completed after");
await shoot("run-many", `/runs/${big.id}`, "extract-0");
await shoot("run-parameters", `/runs/${good.id}?tab=parameters`, "It was given no parameters");
await shoot("run-artifacts", `/runs/${good.id}?tab=artifacts`, "The sum is");
await shoot("run-related", `/runs/${good.id}?tab=related`, "Subflows");
await shoot("run-history", `/runs/${good.id}?tab=history`, "Pending");
await shoot("run-running", `/runs/${running.id}?tab=logs`, "looked into the inbox");
await shoot("deployments", "/deployments", "nightly");
await shoot("deployment", `/deployments/${orders}`, "Schedules");
await shoot("deployment-run", `/deployments/${orders}?open=run`, "Which regions");
await shoot("deployment-schedule", `/deployments/${orders}?open=new-schedule`, "Next times");
const [nightly] = await plane.client.call(readDeploymentSchedules, { params: { id: orders } });
await shoot("deployment-schedule-edit", `/deployments/${orders}?open=${nightly?.id}`, "06:00");
await shoot("deployment-concurrency", `/deployments/${orders}?open=concurrency`, "Of each key");
await shoot("deployment-backfill", `/deployments/${orders}?open=new-backfill`, "Runs at once");
await shoot("compare", `/compare?a=${good.id}&b=${bad.id}`, "Task runs");
await shoot("webhooks", "/webhooks", "shop-orders");
await shoot("webhook", "/webhooks/shop-orders", "accepted");
await shoot("webhook-new", "/webhooks?open=new", "Make one up");
await shoot("flows", "/flows", "daily-orders");
await shoot("work-pools", "/work-pools", "process");
await shoot("work-pool", "/work-pools/local", "Job template");
await shoot("limits", "/limits", "Concurrency limits");
await shoot("blocks", "/blocks", "A block is configuration");
await shoot("variables", "/variables", "A variable is a small value");
await shoot("artifacts", "/artifacts", "summary");
for (const [name, role] of KEYS) await plane.client.call(createKey, { body: { name, role } });
await shoot("settings", "/settings", "laptop-of-ada");
await shoot("settings-key", "/settings?open=new", "Make it");
await shoot("run-task", `/runs/${bad.id}?tab=tasks&errors=true`, "price-0");
await shoot("sign-in", "/sign-in", "API key");
