/** Backfills as a table. */
import type { Backfill } from "../../../protocol/backfills.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";

export const BACKFILL_COLUMNS: readonly Column<Backfill>[] = [
  { title: "ID", value: (one) => one.id },
  { title: "STATUS", value: (one) => one.status },
  { title: "START", value: (one) => wholeSeconds(one.start) },
  { title: "END", value: (one) => wholeSeconds(one.end) },
  { title: "MADE", value: (one) => `${one.made}/${one.total}` },
  { title: "AT ONCE", value: (one) => one.concurrency },
];
