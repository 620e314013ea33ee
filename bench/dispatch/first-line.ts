/** A flow whose first line says when it was reached. */
import { appendFileSync } from "node:fs";
import { flow } from "sluice";

export const firstLine = flow({ name: "first-line" }, async ({ trace }: { trace: string }) => {
  appendFileSync(trace, `${performance.timeOrigin + performance.now()}\n`);
});
