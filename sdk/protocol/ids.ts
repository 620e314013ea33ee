/**
 * Ids. All are UUIDs; the ones made here are version 7, so they sort by the time they were made.
 *
 * Ids of flow runs, their states and logs also carry the partition (see {@link partitionOf}) whose object owns them:
 * no look-up is needed to route a request.
 */
import { z } from "zod";
import type { EpochMs } from "./time.ts";

const uuid = () => z.guid().toLowerCase();

/** The id of a flow. */
export const FlowId = uuid().brand<"FlowId">();
export type FlowId = z.infer<typeof FlowId>;
/** The id of a flow run, which carries the partition that owns the run. */
export const FlowRunId = uuid().brand<"FlowRunId">();
export type FlowRunId = z.infer<typeof FlowRunId>;
/** The id of a task run. Clients may make it, so it need not be of version 7. */
export const TaskRunId = uuid().brand<"TaskRunId">();
export type TaskRunId = z.infer<typeof TaskRunId>;
/** The id of a state. Those of flow runs carry the partition that owns the run. */
export const StateId = uuid().brand<"StateId">();
export type StateId = z.infer<typeof StateId>;
/** The id of a deployment. */
export const DeploymentId = uuid().brand<"DeploymentId">();
export type DeploymentId = z.infer<typeof DeploymentId>;
/** The id of a work pool, which the API otherwise goes by its name. */
export const WorkPoolId = uuid().brand<"WorkPoolId">();
export type WorkPoolId = z.infer<typeof WorkPoolId>;
/** The id of a work queue, unique over all pools. */
export const WorkQueueId = uuid().brand<"WorkQueueId">();
export type WorkQueueId = z.infer<typeof WorkQueueId>;
/** Any other id: schedules, workers, artifacts, transitions, leases. */
export const Uuid = uuid();
export type Uuid = z.infer<typeof Uuid>;

/** A partition lasts this long: ids made within one week and with one shard number share an object. */
export const PARTITION_WINDOW_MS = 7 * 24 * 60 * 60 * 1000;
/** Shard numbers have twelve bits. How many are handed out is a setting that may grow. */
export const MAX_SHARDS = 4096;
const MAX_WINDOWS_BACK = 1023;

/** What a version 7 id is made from. `random` are at least 10 random bytes. */
export interface UuidParts {
  readonly at: EpochMs;
  /** 0…4095, kept in the twelve bits after the version. */
  readonly shard: number;
  /** How many windows before `at` the owning partition lies: 0 for a flow run, more for a late state of an old run. */
  readonly windowsBack: number;
  readonly random: Uint8Array;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Makes a version 7 UUID: 48 bits of milliseconds, 12 bits of shard, 10 bits of windows back, 52 random bits.
 * The layout after the timestamp is ours; any reader sees a plain UUIDv7.
 */
export function makeUuid({ at, shard, windowsBack, random }: UuidParts): string {
  const time = Math.floor(at).toString(16).padStart(12, "0").slice(-12);
  const back = Math.min(windowsBack, MAX_WINDOWS_BACK);
  const byte = (index: number): number => random[index] ?? 0;
  const variantAndBack = 0x8000 | (back << 4) | (byte(0) & 0x0f);
  let tail = "";
  for (let index = 1; index <= 6; index++) tail += HEX[byte(index)];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${(shard & 0xfff).toString(16).padStart(3, "0")}-${variantAndBack
    .toString(16)
    .padStart(4, "0")}-${tail}`;
}

/** The window (a count of weeks since 1970) in which an instant lies. */
export function windowOf(at: EpochMs): number {
  return Math.floor(at / PARTITION_WINDOW_MS);
}

/** The milliseconds that a version 7 id carries; null for other versions. */
export function timeOfUuid(id: string): EpochMs | null {
  return id.charAt(14) === "7" ? (Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) as EpochMs) : null;
}

/**
 * The name of the object that owns the run, state or log with this id, as `"<window>-<shard>"`, or null for an id
 * that cannot be one of ours (not version 7). A name for an id that nobody made here leads to an object that does
 * not know it, which answers so without writing anything.
 */
export function partitionOf(id: string): string | null {
  const at = timeOfUuid(id);
  if (at === null) return null;
  const shard = Number.parseInt(id.slice(15, 18), 16);
  const windowsBack = (Number.parseInt(id.slice(19, 23), 16) >> 4) & 0x3ff;
  return partitionName(windowOf(at) - windowsBack, shard);
}

/** The name of one partition's object. */
export function partitionName(window: number, shard: number): string {
  return `${window}-${shard}`;
}
