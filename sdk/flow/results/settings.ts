/** Where results go unless a task says otherwise. */
import { localFolder } from "./local-folder.ts";
import { encrypted, jsonSerializer, type Serializer } from "./serializer.ts";
import { memoryStorage, type ResultStorage } from "./storage.ts";

/** Where results of tasks are kept, and how. Everything may be left out. */
export interface ResultSettings {
  /**
   * Default: what `SLUICE_RESULTS` names, which is a folder of this machine, `s3://bucket/prefix` (with the usual `AWS_…`
   * variables) or `block:s3-bucket/name`; or else the folder `sluice/results` in `XDG_DATA_HOME` or `~/.local/share`; the
   * memory of the process where there are no files.
   */
  readonly storage?: ResultStorage;
  /** Default: JSON, encrypted when `SLUICE_RESULTS_KEY` is set to the base64 of 32 bytes. */
  readonly serializer?: Serializer;
  /** Whether tasks persist their results unless they say. Default: in runs of deployments they do. */
  readonly persist?: boolean;
}

type Environment = (name: string) => string | undefined;

/** By what `SLUICE_RESULTS` says. */
const storages = new Map<string, ResultStorage>();
const inMemory = memoryStorage();
let sealed: { readonly key: string; readonly serializer: Serializer } | null = null;

export function defaultStorage(environment: Environment): ResultStorage {
  const place = environment("SLUICE_RESULTS") ?? folderOfUser(environment);
  if (place === null) return inMemory;
  const known = storages.get(place) ?? storageAt(place);
  storages.set(place, known);
  return known;
}

/** Null where there are no files. */
function folderOfUser(environment: Environment): string | null {
  if (globalThis.process?.getBuiltinModule === undefined) return null;
  const home =
    environment("XDG_DATA_HOME") ?? `${environment("HOME") ?? environment("USERPROFILE") ?? "."}/.local/share`;
  return `${home}/sluice/results`;
}

function storageAt(place: string): ResultStorage {
  const bucket = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place);
  const block = /^block:s3-bucket\/([^/]+)$/.exec(place);
  const [, name = "", prefix = ""] = bucket ?? block ?? [];
  if (bucket !== null) {
    return whenUsed(async () => (await import("./s3-storage.ts")).s3Storage({ bucket: name, prefix }));
  }
  if (block !== null) return whenUsed(async () => (await import("./s3-storage.ts")).s3BlockStorage(name));
  if (/^(?:[a-z0-9]{2,}:\/\/|block:)/.test(place)) {
    throw new TypeError(
      `SLUICE_RESULTS is ${JSON.stringify(place)}. Give a folder, s3://bucket/prefix, or block:s3-bucket/name.`,
    );
  }
  return localFolder(place);
}

/** Loads what it takes at the first use; a failure to make it is not remembered. */
function whenUsed(make: () => Promise<ResultStorage>): ResultStorage {
  let made: Promise<ResultStorage> | null = null;
  const storage = async (): Promise<ResultStorage> => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = null;
      throw error;
    }
  };
  return {
    read: async (key) => (await storage()).read(key),
    write: async (key, bytes) => (await storage()).write(key, bytes),
    delete: async (key) => (await storage()).delete(key),
  };
}

export function defaultSerializer(environment: Environment): Serializer {
  const key = environment("SLUICE_RESULTS_KEY");
  if (key === undefined) return jsonSerializer;
  if (sealed?.key !== key) sealed = { key, serializer: encrypted(key) };
  return sealed.serializer;
}
