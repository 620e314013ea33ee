/**
 * Runs no-op tasks in this process, in sequence and by `map`, and prints what it took as one line of JSON. With
 * `SLUICE_API_URL` it counts until everything is stored. Started by rows/sdk.ts: `no-ops.ts TASKS MAPPED KEPT`.
 */
import { configure, flow, task } from "sluice";

const [tasks = 0, mapped = 0, kept = 0] = process.argv.slice(2).map(Number);
configure({ echoLogs: false });

const noOp = task({ name: "no-op" }, async (_: number) => undefined);

const inSequence = flow({ name: "in-sequence" }, async ({ count }: { count: number }) => {
  for (let index = 0; index < count; index++) await noOp(index);
});

const byMap = flow({ name: "by-map" }, async ({ count }: { count: number }) => {
  await noOp.map(Array.from({ length: count }, (_, index) => index)).wait();
});

async function perSecond(count: number, act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return (count * 1_000) / (performance.now() - begin);
}

/** Megabytes that are in use after everything that can go has gone. */
function heapMb(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

// Once for the compiler.
await inSequence({ count: tasks });
const sequence = await perSecond(tasks, () => inSequence({ count: tasks }));
const map = await perSecond(mapped, () => byMap({ count: mapped }));
const before = heapMb();
let during = 0;
if (kept > 0) {
  // Within one flow run: what it keeps of a task that has ended would show.
  const watched = flow({ name: "watched" }, async () => {
    for (let index = 0; index < kept; index++) await noOp(index);
    during = heapMb();
  });
  await watched();
}
console.log(JSON.stringify({ sequence, map, heapMb: { before, during, after: heapMb() } }));
