/**
 * References of job templates and pull steps to what the control plane keeps: `{{ prefect.blocks.TYPE.NAME }}`, with a
 * path into the block behind it if need be, `{{ prefect.variables.NAME }}`, and `{"$ref": {"block_document_id": …}}`.
 *
 * They are resolved here, on the worker's machine and with the worker's key, so that a secret is in no frame, no row
 * and no log of the control plane.
 */
import { type ApiClient, loadBlock } from "../../client/index.ts";
import { readBlockDocument } from "../../protocol/block-documents.ts";
import { SluiceError } from "../../protocol/errors.ts";
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { readVariableByName } from "../../protocol/variables.ts";
import { at, fillPlaceholders, placeholdersIn } from "./placeholders.ts";

/** A reference leads nowhere: trouble of whoever wrote the template, not of this machine. */
export class UnknownReferenceError extends Error {
  override readonly name = "UnknownReferenceError";
}

const BLOCKS = "prefect.blocks.";
const VARIABLES = "prefect.variables.";

/**
 * Answers the value with each reference replaced. A variable that does not exist counts as nothing, as it does for
 * Prefect's workers. Throws {@link UnknownReferenceError} for a block that there is not.
 */
export async function resolveReferences(value: unknown, client: ApiClient): Promise<unknown> {
  const names = new Set<string>();
  const ids = new Set<string>();
  collect(value, names, ids);
  const found = new Map<string, unknown>();
  const references = [...names].map(async (name) => void found.set(name, await read(name, client)));
  const documents = [...ids].map(async (id) => void found.set(id, await readById(id, client)));
  await Promise.all([...references, ...documents]);
  const withDocuments = ids.size === 0 ? value : replaceDocuments(value, found);
  return fillPlaceholders(withDocuments, (name) => (found.has(name) ? found.get(name) : `{{ ${name} }}`));
}

function collect(value: unknown, names: Set<string>, ids: Set<string>): void {
  if (typeof value === "string") {
    for (const name of placeholdersIn(value)) {
      if (name.startsWith(BLOCKS) || name.startsWith(VARIABLES)) names.add(name);
    }
  } else if (typeof value === "object" && value !== null) {
    const id = documentId(value);
    if (id !== null) ids.add(id);
    else for (const inner of Object.values(value)) collect(inner, names, ids);
  }
}

function documentId(value: object): string | null {
  const reference: unknown = Reflect.get(value, "$ref");
  const id = typeof reference === "object" && reference !== null ? Reflect.get(reference, "block_document_id") : null;
  return typeof id === "string" ? id : null;
}

function replaceDocuments(value: unknown, found: ReadonlyMap<string, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => replaceDocuments(item, found));
  const id = documentId(value);
  if (id !== null) return found.get(id);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceDocuments(inner, found)]));
}

async function read(name: string, client: ApiClient): Promise<unknown> {
  if (name.startsWith(VARIABLES)) {
    try {
      return (await client.call(readVariableByName, { params: { name: name.slice(VARIABLES.length) } })).value;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
  const [type = "", document = "", ...path] = name.slice(BLOCKS.length).split(".");
  try {
    const { data } = await loadBlock(client, { type, name: document });
    if (path.length === 0) return standingFor(data);
    const value = at(data, path) ?? at(data["value"], path);
    if (value === undefined) throw new UnknownReferenceError(`Block "${type}/${document}" has no "${path.join(".")}".`);
    return value;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new UnknownReferenceError(
      `There is no block "${document}" of type "${type}", which {{ ${name} }} refers to.`,
    );
  }
}

/** Blocks that hold one value stand for it. */
function standingFor(data: JsonObject): unknown {
  return "value" in data ? data["value"] : data;
}

async function readById(id: string, client: ApiClient): Promise<unknown> {
  try {
    const document = await client.call(readBlockDocument, { params: { id }, query: { include_secrets: "true" } });
    return standingFor(document.data);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new UnknownReferenceError(`There is no block ${id}, which the job template or its variables refer to.`);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof SluiceError && (error.code === "not_found" || error.code === "validation");
}
