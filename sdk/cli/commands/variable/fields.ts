/** What is shown of a variable. */
import type { Variable } from "../../../protocol/variables.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";

export const VARIABLE_FIELDS: readonly Column<Variable>[] = [
  { title: "NAME", value: (variable) => variable.name },
  { title: "VALUE", value: (variable) => JSON.stringify(variable.value) },
  { title: "TAGS", value: (variable) => variable.tags.join(", ") },
  { title: "UPDATED", value: (variable) => wholeSeconds(variable.updated) },
];
