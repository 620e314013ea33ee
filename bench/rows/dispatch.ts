/** How soon runs reach workers, and their code; beside Prefect's server and worker in the same run, one after the other. */
import { drainRow, returnRow, tickRow } from "../dispatch/bursts.ts";
import { claimRows } from "../dispatch/claims.ts";
import { firstLineRows } from "../dispatch/first-lines.ts";
import { prefectRows } from "../dispatch/prefect-side.ts";
import type { Bench } from "./row.ts";

export const dispatch: Bench = {
  name: "dispatch",
  // It stands beside Prefect's server, which needs Python.
  isOnlyByName: true,
  async *run({ budget }) {
    yield* await claimRows(budget);
    yield* await firstLineRows(budget);
    yield await drainRow();
    yield await returnRow();
    yield await tickRow(budget);
    yield* prefectRows(budget);
  },
};
