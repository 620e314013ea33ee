/** Start-up from exec to healthy, and memory: idle, and after 10,000 runs. */
import { jsonClient } from "../http.ts";
import { percentiles } from "../load.ts";
import { startMeasuredServer } from "../server.ts";
import type { Bench } from "./row.ts";

const RUNS = 10_000;
const CALLERS = 32;

export const startup: Bench = {
  name: "startup",
  async *run({ budget }) {
    const startupsMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      await using server = await startMeasuredServer();
      startupsMs.push(server.startupMs);
    }
    await using server = await startMeasuredServer();
    const idleMb = await server.memoryMb();
    const client = jsonClient(server.origin);
    const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "bench" });
    const perCaller = Math.ceil((RUNS * Math.min(1, budget)) / CALLERS);
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        for (let count = 0; count < perCaller; count++) {
          await client.call("POST", "/api/flow_runs/", { flow_id: flow.body.id, state: { type: "COMPLETED" } });
        }
      }),
    );
    const afterMb = await server.memoryMb();
    client.close();
    yield* [
      {
        name: "start-up over a fresh folder, exec to healthy (migrations included)",
        figure: `${percentiles(startupsMs).p50Ms.toFixed(0)} ms (median of ${startupsMs.length})`,
        ratio: "–",
        aim: "under 1,000 ms",
      },
      {
        name: "memory of all its processes",
        figure: `${idleMb.toFixed(0)} MB idle, ${afterMb.toFixed(0)} MB after ${perCaller * CALLERS} runs`,
        ratio: `${(afterMb / idleMb).toFixed(2)} of idle`,
        aim: "under 250 MB idle",
      },
    ];
  },
};
