/** References between block documents: `{"$ref": {"block_document_id": …}}` as a value at the top of their data. */
import { SluiceError } from "#protocol/errors";
import { Uuid } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { type BlockDocumentRow, documentsById } from "../db/queries/block-documents.ts";
import { isObject } from "./exact-json.ts";

type Json = Record<string, unknown>;

/** Ids of other documents, by the key of the data. */
export type References = Readonly<Record<string, string>>;

/** Parts data into what is its own and what it refers to. Throws `bad_reference` for a reference without an id. */
export function splitReferences(data: Json): { own: Json; references: References } {
  const own: [string, unknown][] = [];
  const references: [string, string][] = [];
  for (const [key, value] of Object.entries(data)) {
    if (!isObject(value) || !("$ref" in value)) {
      own.push([key, value]);
      continue;
    }
    const target = isObject(value["$ref"]) ? value["$ref"]["block_document_id"] : undefined;
    const id = Uuid.safeParse(target);
    if (!id.success) throw badReference(`Field "${key}" refers to a block document without its id.`);
    references.push([key, id.data]);
  }
  return { own: Object.fromEntries(own), references: Object.fromEntries(references) };
}

/** Every document below the given ones, by id. Asks D1 once per level. References to what was deleted lead to nothing. */
export async function documentsBelow(env: Env, roots: readonly References[]): Promise<Map<string, BlockDocumentRow>> {
  const found = new Map<string, BlockDocumentRow>();
  const asked = new Set<string>();
  for (let level = roots; level.length > 0; ) {
    const wanted = [...new Set(level.flatMap((references) => Object.values(references)))].filter(
      (id) => !asked.has(id),
    );
    for (const id of wanted) asked.add(id);
    const rows = wanted.length === 0 ? [] : await documentsById(env, wanted);
    for (const row of rows) found.set(row.id, row);
    level = rows.map((row) => row.nested);
  }
  return found;
}

/**
 * Makes sure that a document may have these references. Throws `conflict` for a document that there is not,
 * `bad_reference` where a document would contain itself, `validation` where it would bring too many with it.
 */
export async function checkReferences(env: Env, id: string, references: References): Promise<void> {
  if (Object.keys(references).length === 0) return;
  const below = await documentsBelow(env, [references]);
  for (const [key, target] of Object.entries(references)) {
    if (target !== id && below.has(target)) continue;
    if (target === id) break;
    throw new SluiceError("conflict", `Field "${key}" refers to block document ${target}, which there is not.`, {
      fix: "Save the block that is referred to first.",
    });
  }
  if (Object.values(references).includes(id) || below.has(id)) {
    throw badReference(`Block document ${id} would contain itself through its references.`);
  }
  countExpanded(references, below);
}

/** How many documents a reader would be sent below these references. Throws `validation` when they are too many. */
export function countExpanded(references: References, below: ReadonlyMap<string, BlockDocumentRow>): number {
  let count = 0;
  const visit = (level: References, depth: number): void => {
    for (const id of Object.values(level)) {
      const row = below.get(id);
      if (!row) continue;
      count += 1;
      if (count > LIMITS.nestedBlocks || depth > LIMITS.blockDepth) throw tooMany();
      visit(row.nested, depth + 1);
    }
  };
  visit(references, 1);
  return count;
}

function badReference(message: string): SluiceError {
  return new SluiceError("bad_reference", message, {
    fix: 'Refer to another block document as {"$ref": {"block_document_id": "<id>"}}.',
  });
}

function tooMany(): SluiceError {
  const { nestedBlocks, blockDepth } = LIMITS;
  return new SluiceError(
    "validation",
    `The block document would bring more than ${nestedBlocks} others with it, or have more than ${blockDepth} levels.`,
    { fix: "Nest fewer blocks in it." },
  );
}
