/** What is shown of a limit. */
import type { GlobalConcurrencyLimit } from "../../../protocol/concurrency-limits.ts";
import type { Column } from "../../output.ts";

export const LIMIT_COLUMNS: readonly Column<GlobalConcurrencyLimit>[] = [
  { title: "NAME", value: (limit) => limit.name },
  { title: "LIMIT", value: (limit) => limit.limit },
  { title: "IN USE", value: (limit) => limit.active_slots },
  { title: "PER SECOND", value: (limit) => limit.slot_decay_per_second || null },
  { title: "ACTIVE", value: (limit) => (limit.active ? "yes" : "no") },
  { title: "ID", value: (limit) => limit.id },
];
