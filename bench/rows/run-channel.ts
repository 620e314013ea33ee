/** Task states through one run channel: single reports in flight, and batches of a hundred. */
import { converse, taskReport } from "../channel.ts";
import { jsonClient } from "../http.ts";
import { startMeasuredServer } from "../server.ts";
import { startSubstrate } from "../substrate/start.ts";
import { type Bench, perSecond } from "./row.ts";

const WINDOW = 32;

export const runChannel: Bench = {
  name: "run-channel",
  async *run({ budget }) {
    await using server = await startMeasuredServer();
    await using bare = await startSubstrate();
    const client = jsonClient(server.origin);
    const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "bench" });
    for (const size of [1, 100]) {
      const frames = Math.round((size === 1 ? 8_000 : 400) * budget);
      const items = Array.from({ length: size }, (_, index) => taskReport(index, ["RUNNING", "COMPLETED"]));
      const run = await client.call<{ id: string }>("POST", "/api/flow_runs/", {
        flow_id: flow.body.id,
        state: { type: "PENDING" },
      });
      const bareRate = await pump(
        `${bare.origin.replace("http", "ws")}/socket`,
        frames,
        async () => undefined,
        (n) => ({ n, items }),
      );
      const rate = await pump(
        `${server.origin.replace("http", "ws")}/api/flow_runs/${run.body.id}/channel`,
        frames,
        async (conversation) => {
          conversation.send({ type: "hello", protocol: 1, session: crypto.randomUUID(), generation: null });
          await conversation.next();
        },
        (n) => ({
          type: "batch",
          n,
          items: items.map((_, index) => taskReport((n * size + index) % 10_000, ["RUNNING", "COMPLETED"])),
        }),
      );
      yield {
        name: `task states through one run channel, ${size} task${size === 1 ? "" : "s"} a frame`,
        figure: `${perSecond(rate * size * 2)} states (${perSecond(rate)} frames)`,
        ratio: `${(rate / bareRate).toFixed(2)} of bare frames with one inserted row (${perSecond(bareRate)})`,
        aim: "at least 3,000 tasks/s",
      };
    }
    client.close();
  },
};

/** Sends numbered frames with a window of unacknowledged ones; answers frames per second. */
async function pump(
  url: string,
  frames: number,
  open: (conversation: Awaited<ReturnType<typeof converse>>) => Promise<void>,
  frame: (n: number) => unknown,
): Promise<number> {
  const conversation = await converse(url);
  await open(conversation);
  const begin = performance.now();
  let acked = 0;
  for (let n = 1; n <= frames; n++) {
    conversation.send(frame(n));
    while (n - acked >= WINDOW) acked = (await conversation.next<{ n: number }>()).n;
  }
  while (acked < frames) acked = (await conversation.next<{ n: number }>()).n;
  conversation.close();
  return (frames * 1000) / (performance.now() - begin);
}
