/** Where results go unless a task says otherwise. */
import { localFolder } from "./local-folder.ts";
import { encrypted, jsonSerializer, type Serializer } from "./serializer.ts";
import { memoryStorage, type ResultStorage } from "./storage.ts";

/** Where results of tasks are kept, and how. Everything may be left out. */
export interface ResultSettings {
  /**
   * Default: a folder of this machine, `SLUICE_RESULTS`, or else `sluice/results` in `XDG_DATA_HOME` or `~/.local/share`;
   * the memory of the process where there are no files.
   */
  readonly storage?: ResultStorage;
  /** Default: JSON, encrypted when `SLUICE_RESULTS_KEY` is set to the base64 of 32 bytes. */
  readonly serializer?: Serializer;
  /** Whether tasks persist their results unless they say. Default: in runs of deployments they do. */
  readonly persist?: boolean;
}

type Environment = (name: string) => string | undefined;

const folders = new Map<string, ResultStorage>();
const inMemory = memoryStorage();
let sealed: { readonly key: string; readonly serializer: Serializer } | null = null;

export function defaultStorage(environment: Environment): ResultStorage {
  if (globalThis.process?.getBuiltinModule === undefined) return inMemory;
  const home =
    environment("XDG_DATA_HOME") ?? `${environment("HOME") ?? environment("USERPROFILE") ?? "."}/.local/share`;
  const path = environment("SLUICE_RESULTS") ?? `${home}/sluice/results`;
  const known = folders.get(path) ?? localFolder(path);
  folders.set(path, known);
  return known;
}

export function defaultSerializer(environment: Environment): Serializer {
  const key = environment("SLUICE_RESULTS_KEY");
  if (key === undefined) return jsonSerializer;
  if (sealed?.key !== key) sealed = { key, serializer: encrypted(key) };
  return sealed.serializer;
}
