/** Arguments of background tasks: kept where results are, never in the control plane unless it is chosen for results. */
import type { TaskRunId, Uuid } from "../../protocol/ids.ts";
import { resultSerializer, resultStorage } from "../configuration.ts";
import { NotSerialisableError } from "../results/json-values.ts";
import { type RecordHead, readHead, readValue, writeRecord } from "../results/record.ts";
import type { Serializer } from "../results/serializer.ts";
import type { ResultStorage } from "../results/storage.ts";
import type { TaskDefinition } from "../task.ts";

/** Where a task's results and arguments are, and how they are written. */
export function keptWith(task: TaskDefinition): { readonly storage: ResultStorage; readonly serializer: Serializer } {
  return { storage: task.storage ?? resultStorage(), serializer: task.serializer ?? resultSerializer() };
}

const keyOf = (id: Uuid): string => `parameters/${id}`;

/** The key of the result of a background task. */
export function resultKeyOf(id: TaskRunId): string {
  return `background/${id}`;
}

/** Throws `NotSerialisableError` for arguments that cannot be written, and what the storage throws. */
export async function storeParameters(task: TaskDefinition, id: Uuid, args: readonly unknown[]): Promise<void> {
  const { storage, serializer } = keptWith(task);
  const head: RecordHead = {
    version: 1,
    serializer: serializer.name,
    createdAt: Date.now(),
    expiresAt: null,
    taskKey: task.key,
    dynamicKey: id,
  };
  const bytes = await writeRecord(head, args, serializer).catch((error: unknown) => {
    if (!(error instanceof NotSerialisableError)) throw error;
    throw new NotSerialisableError(error.path.replace(/^result/, "arguments"), error.what, ` of task "${task.name}"`);
  });
  await storage.write(keyOf(id), bytes);
}

/** Throws where they are gone, or were written by another serializer or with another key. */
export async function readParameters(task: TaskDefinition, id: Uuid): Promise<readonly unknown[]> {
  const { storage, serializer } = keptWith(task);
  const bytes = await storage.read(keyOf(id));
  if (bytes === null) {
    throw new Error(
      `The arguments of this run of task "${task.name}" are not in the storage of this task worker. Give it the storage of those who call delay().`,
    );
  }
  return (await readValue(readHead(bytes), bytes, serializer)) as readonly unknown[];
}

export async function forgetParameters(task: TaskDefinition, id: Uuid): Promise<void> {
  await keptWith(task).storage.delete(keyOf(id));
}
