/**
 * Follows the objects of a cluster that match a selector: lists them, watches from there on, and does both again when
 * the watch has ended, whatever ended it.
 */

import { pause } from "../../client/jitter.ts";
import { lineReader } from "../output-lines.ts";
import { type ClusterApi, ClusterError, pauseAfter } from "./cluster-api.ts";
import type { ClusterObject } from "./kubernetes-objects.ts";

export interface ObjectWatch<T extends ClusterObject> {
  readonly api: ClusterApi;
  /** Of the collection. */
  readonly path: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called with all objects that there are, and with the one that was just deleted, if one was. */
  onObjects(objects: readonly T[], deleted: T | null): void;
  /** The cluster does not answer; it is asked again. */
  onAway?(error: ClusterError): void;
}

interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

/** The API ends a watch after this time, and the worker when the API does not. */
const WATCH_S = 290;
const ENDS_WITHIN_MS = (WATCH_S + 30) * 1_000;

/** Resolves when the signal aborts. Throws {@link ClusterError} for what waiting does not make better. */
export async function watchObjects<T extends ClusterObject>(watch: ObjectWatch<T>): Promise<void> {
  const { signal, onAway } = watch;
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await listAndWatch(watch);
      // An API that ends its watches at once is not asked all the time.
      failures = performance.now() - startedAt < 1_000 ? failures + 1 : 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ClusterError)) throw error;
      // 401: a token ran out, and the next request gets another. 410: what was listed is too old to go on from.
      if (!error.isPassing && error.status !== 401 && error.status !== 410) throw error;
      if (performance.now() - startedAt > 10_000) failures = 0;
      failures++;
      onAway?.(error);
    }
    if (failures > 0 && !signal.aborted) await pause(pauseAfter(failures), signal).catch(() => undefined);
  }
}

async function listAndWatch<T extends ClusterObject>({ api, path, selector, signal, onObjects }: ObjectWatch<T>) {
  const list = await api.call<{ metadata?: { resourceVersion?: string }; items?: readonly T[] }>("GET", path, {
    query: selector,
    signal,
  });
  const objects = new Map((list.items ?? []).map((item) => [item.metadata.name, item]));
  onObjects([...objects.values()], null);
  if (signal.aborted) return;
  const within = AbortSignal.any([signal, AbortSignal.timeout(ENDS_WITHIN_MS)]);
  const query = {
    ...selector,
    watch: "true",
    allowWatchBookmarks: "true",
    timeoutSeconds: String(WATCH_S),
    ...(list.metadata?.resourceVersion === undefined ? {} : { resourceVersion: list.metadata.resourceVersion }),
  };
  const stream = await api.stream(path, query, within);
  const events: WatchEvent<T>[] = [];
  const lines = lineReader((line) => events.push(JSON.parse(line) as WatchEvent<T>), Number.POSITIVE_INFINITY);
  try {
    for await (const chunk of stream) {
      lines.push(chunk as Uint8Array);
      for (const { type, object } of events.splice(0)) {
        if (type === "ERROR") return;
        if (type === "BOOKMARK") continue;
        if (type === "DELETED") objects.delete(object.metadata.name);
        else objects.set(object.metadata.name, object);
        onObjects([...objects.values()], type === "DELETED" ? object : null);
        if (signal.aborted) return;
      }
    }
  } catch {
    // The connection broke, or a half line was its last: what there is now is listed anew.
  } finally {
    stream.destroy();
  }
}
