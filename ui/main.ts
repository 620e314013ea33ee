/** One honest page: what server this is, what ran last, and what to type next. It looks again while it is visible. */
import { createClient } from "../sdk/client/index.ts";
import { type FlowRun, filterFlowRuns } from "../sdk/protocol/flow-runs.ts";
import { filterFlows } from "../sdk/protocol/flows.ts";
import { readServerInfo } from "../sdk/protocol/server.ts";

const RUNS = 20;
const LOOK_AGAIN_MS = 3_000;
const COMMANDS = [
  "npm run sluice -- work-pool create local --type process",
  "npm run sluice -- worker start --pool local",
  "npm run demo   # or watch a whole run, with a server of its own",
];

const client = createClient({ url: `${location.origin}/api` });
const server = element("server");
const notice = element("notice");
const table = document.querySelector("table") as HTMLTableElement;
const body = document.querySelector("tbody") as HTMLTableSectionElement;
element("commands").textContent = COMMANDS.join("\n");

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element "${id}".`);
  return found;
}

async function look(): Promise<void> {
  const [info, runs] = await Promise.all([
    client.call(readServerInfo, {}),
    client.call(filterFlowRuns, { body: { limit: RUNS } }),
  ]);
  const flowIds = [...new Set(runs.map((run) => run.flow_id))];
  const flows =
    flowIds.length > 0 ? await client.call(filterFlows, { body: { flows: { id: { any_: flowIds } } } }) : [];
  const names = new Map(flows.map((flow) => [flow.id, flow.name]));
  server.textContent = `version ${info.version}, API at ${location.origin}/api`;
  table.hidden = runs.length === 0;
  notice.hidden = runs.length > 0;
  notice.textContent = "Nothing has run here yet.";
  body.replaceChildren(...runs.map((run) => row(run, names.get(run.flow_id) ?? run.flow_id)));
}

function row(run: FlowRun, flow: string): HTMLTableRowElement {
  const tr = document.createElement("tr");
  const state = cell(run.state_name ?? "–");
  state.className = "state";
  state.dataset["type"] = run.state_type ?? "";
  state.title = run.state?.message ?? "";
  const started = cell(run.start_time ? ago(run.start_time) : "–");
  started.title = run.start_time ?? "";
  const duration = cell(run.start_time ? `${run.estimated_run_time.toFixed(1)} s` : "–");
  duration.className = "number";
  tr.append(state, cell(run.name), cell(flow), started, duration);
  return tr;
}

function cell(text: string): HTMLTableCellElement {
  const td = document.createElement("td");
  td.textContent = text;
  return td;
}

function ago(time: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

async function watch(): Promise<void> {
  if (!document.hidden) {
    try {
      await look();
    } catch (error) {
      notice.hidden = false;
      notice.textContent = `The server does not answer (${error instanceof Error ? error.message : String(error)}). Trying again.`;
    }
  }
  setTimeout(() => void watch(), LOOK_AGAIN_MS);
}

void watch();
