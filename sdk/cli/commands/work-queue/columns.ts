/** Columns of tables of work queues. */
import type { WorkQueue } from "../../../protocol/work-pools.ts";
import type { Column } from "../../output.ts";

export const WORK_QUEUE_COLUMNS: readonly Column<WorkQueue>[] = [
  { title: "NAME", value: (queue) => queue.name },
  { title: "PRIORITY", value: (queue) => queue.priority },
  { title: "STATUS", value: (queue) => queue.status },
  { title: "LIMIT", value: (queue) => queue.concurrency_limit },
  { title: "ID", value: (queue) => queue.id },
];
