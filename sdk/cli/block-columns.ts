/** Columns of tables of blocks, and how a block is named on the command line. */
import type { BlockName } from "../client/blocks.ts";
import type { BlockDocument } from "../protocol/block-documents.ts";
import { wholeSeconds } from "./flow-run-columns.ts";
import type { Column } from "./output.ts";
import { type Parameter, parsed, required } from "./parameters.ts";

export const BLOCK_COLUMNS: readonly Column<BlockDocument>[] = [
  { title: "ID", value: (block) => block.id },
  { title: "TYPE", value: (block) => block.block_type?.slug },
  { title: "NAME", value: (block) => block.name },
  { title: "UPDATED", value: (block) => wholeSeconds(block.updated) },
];

/** The required argument `<type/name>` of a command about one block. */
export function blockArgument(): Parameter<BlockName> {
  const read = (given: string): BlockName => {
    const [type = "", name = "", ...more] = given.split("/");
    if (type !== "" && name !== "" && more.length === 0) return { type, name };
    throw new Error("not of the form type/name, as secret/my-password");
  };
  return required(parsed("Slug of its type and its name.", read, { placeholder: "type/name" }));
}
