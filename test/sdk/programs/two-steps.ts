/** A program as a person writes it: a flow with two steps, its result on standard output. */
import { flow, task } from "../../../sdk/index.ts";

const increment = task({ name: "increment" }, async (n: number) => n + 1);

const twice = flow({ name: "twice" }, async ({ from }: { from: number }) => {
  console.log("captured");
  return increment(await increment(from));
});

console.log(await twice({ from: 1 }));
