/** Task runs as Prefect's clients report them: events through `/api/events/in`, until all can be read over REST. */
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonClient } from "../http.ts";
import type { ContenderName } from "./contenders.ts";
import { flowOf, type Load } from "./loads.ts";
import type { Measure } from "./scoreboard.ts";
import { withClient } from "./slice.ts";

/** Clients with a connection and a flow run each. */
const CLIENTS = 4;
const STATES = ["PENDING", "RUNNING", "COMPLETED"] as const;
/** Tasks of each client: enough for each server to be busy for some seconds. */
const TASKS: Readonly<Record<ContenderName, number>> = { ours: 1_000, "prefect sqlite": 80, "prefect postgres": 80 };
/** Counting costs a server something, too. */
const LOOK_EVERY_MS = 100;
const GIVE_UP_MS = 90_000;
const AIM_TIMES = 50;

const EVENTS: Measure = {
  name: `task-run events until readable, ${CLIENTS} connections`,
  unit: "/s",
  better: "higher",
  aim: { times: AIM_TIMES },
};
const MISSING: Measure = {
  name: "task runs that were not Completed in time",
  unit: "",
  better: "lower",
  aim: { atMost: 0 },
};

export const taskEvents: Load = ({ contender, board }) =>
  withClient(contender, async (client) => {
    const flowId = await flowOf(client);
    const tasks = TASKS[contender.name];
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const run = await created(client, flowId);
        const socket = await opened(`${contender.origin.replace("http", "ws")}/api/events/in`);
        return { run, socket };
      }),
    );
    const frames = clients.flatMap(({ run, socket }) => eventsOf(run, tasks).map((frame) => ({ socket, frame })));
    const filter = {
      flow_runs: { id: { any_: clients.map(({ run }) => run) } },
      task_runs: { state: { type: { any_: ["COMPLETED"] } } },
    };
    const begin = performance.now();
    for (const { socket, frame } of frames) socket.send(frame);
    let readable = 0;
    while (readable < tasks * CLIENTS && performance.now() - begin < GIVE_UP_MS) {
      await sleep(LOOK_EVERY_MS);
      const answer = await client.call<number>("POST", "/api/task_runs/count", filter);
      if (answer.status === 200) readable = answer.body;
    }
    const seconds = (performance.now() - begin) / 1000;
    for (const { socket } of clients) socket.close();
    board.add(EVENTS, contender.name, (readable * STATES.length) / seconds);
    board.add(MISSING, contender.name, tasks * CLIENTS - readable);
  });

async function created(client: JsonClient, flowId: string): Promise<string> {
  const asked = { flow_id: flowId, state: { type: "RUNNING" } };
  return (await client.call<{ id: string }>("POST", "/api/flow_runs/", asked)).body.id;
}

/** Without a subprotocol, which both servers take from old clients: there is nothing to authenticate. */
function opened(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(socket), { once: true });
    socket.addEventListener("error", () => reject(new Error(`No WebSocket at ${url}.`)), { once: true });
  });
}

/** Each task goes through its states; ten tasks are under way at a time, as with a thread pool. */
function eventsOf(flowRunId: string, tasks: number): string[] {
  const concurrency = 10;
  const frames: string[] = [];
  for (let first = 0; first < tasks; first += concurrency) {
    const group = Array.from({ length: Math.min(concurrency, tasks - first) }, (_, index) => ({
      id: crypto.randomUUID(),
      index: first + index,
    }));
    for (const [step, type] of STATES.entries()) {
      for (const { id, index } of group) frames.push(event(flowRunId, id, index, type, STATES[step - 1] ?? null));
    }
  }
  return frames;
}

const NAMES = { PENDING: "Pending", RUNNING: "Running", COMPLETED: "Completed" } as const;

function event(
  flowRunId: string,
  id: string,
  index: number,
  type: (typeof STATES)[number],
  from: (typeof STATES)[number] | null,
): string {
  // Times of one task must rise: of two states of one time, neither is the later.
  const occurred = new Date(Date.now() + STATES.indexOf(type)).toISOString();
  const name = `step-${index}`;
  return JSON.stringify({
    id: crypto.randomUUID(),
    occurred,
    event: `prefect.task-run.${NAMES[type]}`,
    resource: {
      "prefect.resource.id": `prefect.task-run.${id}`,
      "prefect.resource.name": name,
      "prefect.run-count": "1",
      "prefect.state-message": "",
      "prefect.state-name": NAMES[type],
      "prefect.state-timestamp": occurred,
      "prefect.state-type": type,
      "prefect.orchestration": "client",
    },
    related: [{ "prefect.resource.id": `prefect.flow-run.${flowRunId}`, "prefect.resource.role": "flow-run" }],
    payload: {
      intended: { from, to: type },
      initial_state: from === null ? null : { type: from, name: NAMES[from], message: "", state_details: {} },
      validated_state: { type, name: NAMES[type], message: "", state_details: {}, data: null },
      task_run: {
        name,
        task_key: "step-a1b2c3d4",
        dynamic_key: String(index),
        empirical_policy: { max_retries: 0, retry_delay_seconds: 0, retries: 0, retry_delay: 0 },
        tags: [],
        task_inputs: {},
        run_count: 1,
        flow_run_run_count: 1,
        expected_start_time: occurred,
        start_time: type === "PENDING" ? null : occurred,
        end_time: type === "COMPLETED" ? occurred : null,
        total_run_time: 0,
      },
    },
  });
}
