/** What an object that owns flow runs is made of, wired together, and what it takes up again from an earlier life. */
import { KEY_LABEL } from "#protocol/flow-control";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { clock } from "./clock.ts";
import { Copier } from "./copier.ts";
import { Deadlines } from "./deadlines.ts";
import { DeploymentLimits } from "./deployment-limits.ts";
import { EventEmitter } from "./event-emitter.ts";
import { EVENT_HUB } from "./event-hub-object.ts";
import { flowRunDocument } from "./flow-run-document.ts";
import { GroupCommit } from "./group-commit.ts";
import { Heartbeats } from "./heartbeats.ts";
import { KeyedReserver } from "./keyed-reserver.ts";
import { LOG_HUB } from "./log-hub-object.ts";
import { LogStream } from "./log-stream.ts";
import { ownerOf, PartitionIds } from "./partition.ts";
import { Performer, standingEffects } from "./perform.ts";
import { Places } from "./places.ts";
import { ReportRecorder } from "./report-recorder.ts";
import { Reserver } from "./reserve.ts";
import { ResourceNames } from "./resource-names.ts";
import type { ChannelOwner } from "./run-channel-session.ts";
import { RunClaims } from "./run-claims.ts";
import { RunEndings } from "./run-endings.ts";
import { RunRecorder } from "./run-recorder.ts";
import type { RunSockets } from "./run-sockets.ts";
import { RunStream } from "./run-stream.ts";
import { RunWriter } from "./run-writer.ts";
import { ScheduledTriggers } from "./scheduled-triggers.ts";
import { Sequence } from "./sequence.ts";
import { SignsOfLife } from "./signs-of-life.ts";
import { migrate } from "./storage/migrate.ts";
import { RUN_SCHEMA, type RunRow } from "./storage/run-rows.ts";
import { RunStore } from "./storage/run-store.ts";
import { TaskRecorder } from "./task-recorder.ts";
import type { TaskRunStep } from "./task-run-step.ts";

export interface RunParts extends ChannelOwner {
  readonly reserver: Reserver;
  readonly triggers: ScheduledTriggers;
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly performer: Performer;
  readonly deadlines: Deadlines;
  readonly heartbeats: Heartbeats;
  readonly logStream: LogStream;
  readonly runStream: RunStream;
  readonly tasks: TaskRecorder;
  readonly endings: RunEndings;
  /** Asks the child runs of a run that have processes of their own, and have not ended, to cancel themselves. */
  askChildren(id: FlowRunId): Promise<void>;
}

/** Creates the object's tables when they are missing, so it is called only where there is something to keep. */
export function openParts(ctx: DurableObjectState, env: Env, sockets: RunSockets, heartbeatMs: number): RunParts {
  migrate(ctx.storage, RUN_SCHEMA);
  const name = ctx.id.name;
  if (name === undefined) throw new Error("An object that owns flow runs is reached by its partition's name.");
  const now = () => clock.now();
  const store = new RunStore(ctx.storage);
  const ids = new PartitionIds(name);
  const document = (id: FlowRunId): FlowRun | null => {
    const row = store.run(id);
    const spec = store.spec(id);
    return row && spec ? flowRunDocument(id, spec, row, now()) : null;
  };
  const runStream = new RunStream({ ctx, store, ids, document });
  const copier = new Copier(env.DB, {
    noted: runStream,
    flowRun: (id) => {
      const row = store.run(id);
      const run = document(id);
      return row && run ? { version: row.version, run } : null;
    },
    taskRun: (id, taskKey, dynamicKey) => store.task(id, taskKey, dynamicKey),
  });
  const emitter = new EventEmitter({
    names: new ResourceNames(env.DB, now),
    spec: (id) => store.spec(id),
    publish: (events) => env.EVENT_HUBS.getByName(EVENT_HUB).publish(events),
  });
  const limits = new DeploymentLimits(env.DB);
  const triggers = new ScheduledTriggers({
    store,
    limits,
    objects: env.KEYED_LIMITS,
    supersede: async (id) => ownerOf(env.FLOW_RUNS, id)?.supersede(id, "waiting"),
    label: (id, labels) => commit.run(() => recorder.addLabels(id, labels)),
  });
  const reserver = new Reserver({
    store,
    limits,
    objects: env.CONCURRENCY_LIMITS,
    keyed: new KeyedReserver({
      store,
      objects: env.KEYED_LIMITS,
      supersede: async (id) => ownerOf(env.FLOW_RUNS, id)?.supersede(id, "any"),
      label: (id, key) => commit.run(() => recorder.addLabels(id, { [KEY_LABEL]: key })),
    }),
  });
  const askChildren = async (id: FlowRunId): Promise<void> => {
    const children = reports.openChildren(id);
    await Promise.all(children.map((child) => ownerOf(env.FLOW_RUNS, child)?.askWithParent(child)));
  };
  const performer = new Performer({
    env,
    store,
    emitter,
    tellProcess: (id, action, state) => sockets.tell(id, action, state),
    giveSlotsBack: (id, leaseId) => reserver.giveBack(id, leaseId),
    askChildren,
    cancelChildren: async (id) => {
      const children = await commit.run(() => reports.cancelTasks(id));
      await Promise.all(children.map((child) => ownerOf(env.FLOW_RUNS, child)?.cancelWithParent(child)));
    },
  });
  const deadlines = new Deadlines(store, now());
  const heartbeats = new Heartbeats();
  const sequence = new Sequence(store);
  const logStream = new LogStream({
    store,
    ids,
    publish: (lines) => env.LOG_HUBS.getByName(LOG_HUB).publish(lines),
  });
  const tellOfTasks = (steps: readonly TaskRunStep[]): void => emitter.emitTasks(steps);
  const reports = new ReportRecorder({ store, ids, copier, logStream, runStream, sequence, now, tellOfTasks });
  const recorderParts = {
    store,
    ids,
    copier,
    performer,
    deadlines,
    heartbeats,
    reports,
    sequence,
    now,
    heartbeatMs,
  };
  const writer = new RunWriter(recorderParts);
  const claims = new RunClaims(recorderParts, writer);
  const endings = new RunEndings(recorderParts, writer);
  const recorder = new RunRecorder(recorderParts, writer, claims, endings);
  const commit = new GroupCommit(
    ctx.storage,
    () => recorder.beforeCommit(),
    () => {
      store.forgetParsed();
      reports.forgetMemory();
    },
  );
  const places = new Places({
    store,
    performer,
    reserver,
    pool: (name) => env.WORK_POOLS.getByName(name),
    commit: (job) => commit.run(job),
  });
  const tasks = new TaskRecorder({
    env,
    store,
    ids,
    copier,
    performer,
    reports,
    now,
    commit: (job) => commit.run(job),
  });
  const parts: RunParts = {
    store,
    ids,
    copier,
    performer,
    deadlines,
    heartbeats,
    logStream,
    recorder,
    claims,
    endings,
    askChildren,
    life: new SignsOfLife(recorderParts),
    reports,
    places,
    tasks,
    commit,
    heartbeatMs,
    reserver,
    triggers,
    row: (id) => store.run(id),
    document,
    runStream,
    seen: (id) => sockets.seen(id),
  };
  deadlines.load();
  takeUpAgain(parts);
  return parts;
}

/** Copies and performs again what an earlier life of this object may have left undone. */
function takeUpAgain({ store, recorder, reports, tasks, copier, performer, deadlines }: RunParts): void {
  const changed = new Set(store.changedAfter(recorder.watermark));
  const marks = new Set(store.marksAfter(recorder.watermark));
  // A run in progress may have task runs that were stored without an entry in the journal.
  for (const id of deadlines.runIds()) changed.add(id);
  for (const id of changed) {
    const row: RunRow | null = store.run(id);
    if (row === null) continue;
    for (const seq of row.states) marks.delete(seq);
    copier.markRun(id, row.version, false, 0);
    for (const task of store.tasks(id)) {
      copier.markTask(id, task.task.task_key, task.task.dynamic_key, task.version, true);
      tasks.resume(id, task);
    }
    performer.add(id, row.version, standingEffects(row), row.claims);
    for (const { seq, from, to } of store.stepsAfter(row.states, recorder.watermark)) {
      performer.add(id, seq, [{ kind: "event", from, to, runCount: row.record.runCount }], row.claims);
    }
  }
  reports.adoptMarks([...marks]);
}
