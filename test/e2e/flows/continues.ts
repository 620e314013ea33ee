/** A flow whose process is killed in the middle of its second task, once; each execution of a task leaves a trace. */
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { flow, flowContext, task } from "sluice";

const leave = (trace: string, what: string): void => {
  appendFileSync(trace, `${what} ${flowContext().flowRunId} ${process.pid}\n`);
};

const first = task({ name: "first" }, async (trace: string) => {
  leave(trace, "first");
  return { at: new Date(0), list: new Set([1, 2]) };
});

const second = task({ name: "second" }, async (trace: string, from: { readonly list: ReadonlySet<number> }) => {
  leave(trace, "second");
  if (!existsSync(`${trace}.killed`)) {
    writeFileSync(`${trace}.killed`, "");
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => undefined);
  }
  return from.list.size;
});

export const continues = flow({ name: "continues" }, async ({ trace }: { readonly trace: string }) => {
  const made = first.submit(trace);
  const size = await second(trace, made as never);
  leave(trace, `size-${size}`);
});

const child = flow(
  { name: "continued-child" },
  async ({ trace, which }: { readonly trace: string; readonly which: number }) => {
    const made = await first(trace);
    return which + (which === 2 ? await second(trace, made) : 0);
  },
);

/** One child completes, the process is killed in the other. */
export const family = flow({ name: "family" }, async ({ trace }: { readonly trace: string }) => {
  const one = await child({ trace, which: 1 });
  const two = await child({ trace, which: 2 });
  leave(trace, `sum-${one + two}`);
});
