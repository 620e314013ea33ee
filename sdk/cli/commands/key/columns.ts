/** Columns of tables of API keys. */
import type { ApiKey } from "../../../protocol/access.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";

export const KEY_COLUMNS: readonly Column<ApiKey>[] = [
  { title: "NAME", value: (key) => key.name },
  { title: "ROLE", value: (key) => key.role },
  { title: "EXPIRES", value: (key) => wholeSeconds(key.expires) ?? "never" },
  { title: "LAST USED", value: (key) => wholeSeconds(key.last_used) ?? "never" },
  { title: "REVOKED", value: (key) => wholeSeconds(key.revoked) },
  { title: "ID", value: (key) => key.id },
];
