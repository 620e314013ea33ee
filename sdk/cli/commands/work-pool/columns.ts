/** Columns of tables of work pools. */
import type { WorkPool } from "../../../protocol/work-pools.ts";
import type { Column } from "../../output.ts";

export const WORK_POOL_COLUMNS: readonly Column<WorkPool>[] = [
  { title: "NAME", value: (pool) => pool.name },
  { title: "TYPE", value: (pool) => pool.type },
  { title: "STATUS", value: (pool) => pool.status },
  { title: "LIMIT", value: (pool) => pool.concurrency_limit },
  { title: "ID", value: (pool) => pool.id },
];
