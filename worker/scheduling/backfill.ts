/**
 * Runs the due times of a schedule in a range that may have passed, a few at a time. The next runs are made when one has
 * ended, and by the minute's tick if word of that was lost; a due time has a key, so that it is run once.
 */
import { BACKFILL_LABEL, type Backfill, type BackfillCreate, type BackfillPreview } from "#protocol/backfills";
import { notFound, SluiceError } from "#protocol/errors";
import type { FlowRun } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { partitionOf } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { dueTimes } from "#schedules/due-times";
import { ownerOf, PartitionIds } from "../../durable-objects/partition.ts";
import * as queries from "../db/queries/backfills.ts";
import { loadScheduleFor, type ScheduleToFollow, writeDormantRuns } from "../db/queries/scheduling.ts";
import { newFlowRunId, newId } from "../new-id.ts";
import { scheduledRun } from "./scheduled-run.ts";

/** Due times of a preview, at its beginning and at its end. */
const SHOWN = 5;

type Range = Pick<BackfillCreate, "start" | "end" | "schedule_id">;

export async function previewBackfill(env: Env, id: DeploymentId, range: Range): Promise<BackfillPreview> {
  const from = await requireSchedule(env, id, range.schedule_id ?? null);
  requireForward(range);
  const times = timesIn(from, range);
  return {
    schedule_id: from.id,
    total: times.length,
    first: times.slice(0, SHOWN).map(toWireTime),
    last: times.slice(Math.max(SHOWN, times.length - SHOWN)).map(toWireTime),
  };
}

/** Makes a backfill and its first runs. Fails when nothing is due in the range, or too much. */
export async function startBackfill(env: Env, id: DeploymentId, request: BackfillCreate): Promise<Backfill> {
  const from = await requireSchedule(env, id, request.schedule_id ?? null);
  requireForward(request);
  const total = timesIn(from, request).length;
  if (total === 0) throw refused("end", "No run is due in this range.", "Ask for a preview, and choose another range.");
  const now = Date.now();
  const { start, end, parameters, concurrency } = request;
  const backfill = await queries.insertBackfill(env, {
    id: newId(),
    deploymentId: id,
    scheduleId: from.id,
    status: "RUNNING",
    madeUntil: null,
    made: 0,
    doc: { start, end, concurrency: concurrency ?? 1, parameters: parameters ?? {}, total },
    created: now,
    updated: now,
  });
  await advanceBackfill(env, backfill.id);
  return (await queries.backfillById(env, backfill.id)) ?? backfill;
}

/** Makes as many runs as may be open. `ended` is a run of it that has ended just now. */
export async function advanceBackfill(env: Env, id: string, ended: FlowRunId | null = null): Promise<void> {
  const progress = await queries.backfillProgress(env, id, ended);
  if (progress?.backfill.status !== "RUNNING") return;
  const { backfill, madeUntil, open } = progress;
  const from = await loadScheduleFor(env, backfill.deployment_id, backfill.schedule_id);
  if (from === null) {
    await queries.endBackfill(env, id, "CANCELLED");
    return;
  }
  const start = madeUntil === null ? fromWireTime(backfill.start) : ((madeUntil + 0.001) as EpochMs);
  const next = timesIn(from, { start: toWireTime(start), end: backfill.end }, backfill.concurrency - open.length);
  const last = next.at(-1);
  if (last !== undefined) {
    await makeRuns(env, from, backfill, next);
    const status = await queries.noteMade(env, backfill, last, next.length);
    // Whoever cancelled it meanwhile has not seen these runs.
    if (status === "CANCELLED") await cancelBackfill(env, id);
  } else if (open.length === 0) await queries.endBackfill(env, id, "COMPLETED");
}

/** Makes no more runs, and cancels those that are open. False when there is no such backfill. */
export async function cancelBackfill(env: Env, id: string): Promise<boolean> {
  await queries.endBackfill(env, id, "CANCELLED");
  const progress = await queries.backfillProgress(env, id, null);
  if (progress === null) return false;
  await Promise.all(
    progress.open.map(async (run) => {
      const owner = ownerOf(env.FLOW_RUNS, run);
      // One that has begun is asked to stop; one that waits is over at once.
      const type = (await owner?.read(run))?.state_type === "SCHEDULED" ? "CANCELLED" : "CANCELLING";
      await owner?.setState(run, { state: cancelled(type), force: false });
    }),
  );
  return true;
}

/** Runs are taken over by their owners at once: the changes of their deployment do not touch them. */
async function makeRuns(
  env: Env,
  from: ScheduleToFollow,
  backfill: Backfill,
  times: readonly EpochMs[],
): Promise<void> {
  const now = Date.now() as EpochMs;
  const runs = times.map((dueAt): FlowRun => {
    const run = newFlowRunId(env);
    const ids = { run, state: new PartitionIds(partitionOf(run) ?? "").state(now) };
    // How many are open at once is said by the backfill, not by the schedule.
    const made = scheduledRun({ ...from, policy: null }, { dueAt, startsAt: dueAt, isAutomatic: false }, ids, now);
    return {
      ...made,
      parameters: { ...made.parameters, ...backfill.parameters },
      labels: { ...made.labels, [BACKFILL_LABEL]: backfill.id },
      idempotency_key: `backfill ${backfill.id} ${toWireTime(dueAt)}`,
    };
  });
  const made = await writeDormantRuns(
    env,
    runs.map((run) => ({ run, scheduleId: null, stamp: null })),
    [],
  );
  await Promise.all(made.map((id) => ownerOf(env.FLOW_RUNS, id)?.wake([id])));
}

function timesIn(from: ScheduleToFollow, range: Range, most = Number.POSITIVE_INFINITY): EpochMs[] {
  const [start, end] = [fromWireTime(range.start), fromWireTime(range.end)];
  const times: EpochMs[] = [];
  if (most <= 0 || end < start) return times;
  for (const at of dueTimes(from.schedule, start)) {
    if (at > end) break;
    times.push(at);
    if (times.length >= most) break;
    if (times.length > LIMITS.backfillRuns) {
      throw refused("end", `More than ${LIMITS.backfillRuns} runs are due in this range.`, "Choose a shorter range.");
    }
  }
  return times;
}

function requireForward({ start, end }: Range): void {
  if (fromWireTime(end) >= fromWireTime(start)) return;
  throw refused("end", "The range ends before it begins.", "Give an end after the start.");
}

async function requireSchedule(env: Env, id: DeploymentId, scheduleId: string | null): Promise<ScheduleToFollow> {
  const found = await loadScheduleFor(env, id, scheduleId);
  if (found) return found;
  if (scheduleId !== null) throw notFound("Schedule", scheduleId);
  throw refused(
    "schedule_id",
    "The deployment does not have exactly one schedule.",
    "Name the schedule in schedule_id: GET /api/deployments/{id}/schedules lists them.",
  );
}

function refused(field: string, message: string, fix: string): SluiceError {
  return new SluiceError("validation", message, {
    fix,
    issues: [{ loc: ["body", field], msg: message, type: "value_error" }],
  });
}

function cancelled(type: StateCreate["type"]): StateCreate {
  return { type, name: null, message: "Its backfill was cancelled.", data: null, state_details: NO_DETAILS };
}
