/** Log lines over `POST /logs/`, a hundred a request, until the last of them can be read. */
import { setTimeout as sleep } from "node:timers/promises";
import { flowOf, type Load } from "./loads.ts";
import type { Measure } from "./scoreboard.ts";
import { slice, withClient } from "./slice.ts";

const CALLERS = 8;
const LINES = 100;
const GIVE_UP_MS = 60_000;

const LOGS: Measure = {
  name: `log lines until readable, ${CALLERS} callers, ${LINES} a request`,
  unit: "/s",
  better: "higher",
  aim: null,
};
const MISSING: Measure = {
  name: "flow runs that lack an acknowledged log line",
  unit: "",
  better: "lower",
  aim: { atMost: 0 },
};

/** Each caller writes to a flow run of its own. */
export const logLines: Load = async ({ board, ...context }) => {
  const { contender } = context;
  const runs = await withClient(contender, async (client) => {
    const flowId = await flowOf(client);
    return Promise.all(
      Array.from({ length: CALLERS }, async () => {
        const asked = { flow_id: flowId, state: { type: "RUNNING" } };
        return (await client.call<{ id: string }>("POST", "/api/flow_runs/", asked)).body.id;
      }),
    );
  });
  const sent = new Array<number>(CALLERS).fill(0);
  const begin = performance.now();
  await slice({ ...context, callers: CALLERS }, async ({ index, call }) => {
    const timestamp = new Date().toISOString();
    const lines = Array.from({ length: LINES }, (_, line) => ({
      name: "prefect.flow_runs",
      level: 20,
      message: `Line ${line} of what a flow says about its work, of a usual length`,
      timestamp,
      flow_run_id: runs[index],
    }));
    await call("POST", "/api/logs/", lines);
    sent[index] = (sent[index] ?? 0) + LINES;
  });
  const total = sent.reduce((sum, lines) => sum + lines, 0);
  const missing = await withClient(contender, async (client) => {
    let waiting = runs.map((run, index) => ({ run, last: (sent[index] ?? 0) - 1 })).filter(({ last }) => last >= 0);
    const end = performance.now() + GIVE_UP_MS;
    while (waiting.length > 0 && performance.now() < end) {
      const there = await Promise.all(
        waiting.map(async ({ run, last }) => {
          const page = { logs: { flow_run_id: { any_: [run] } }, limit: 1, offset: last };
          const answer = await client.call<unknown[]>("POST", "/api/logs/filter", page);
          return answer.status === 200 && answer.body.length === 1;
        }),
      );
      waiting = waiting.filter((_, index) => !there[index]);
      if (waiting.length > 0) await sleep(10);
    }
    return waiting.length;
  });
  board.add(LOGS, contender.name, missing > 0 ? 0 : (total * 1000) / (performance.now() - begin));
  board.add(MISSING, contender.name, missing);
};
