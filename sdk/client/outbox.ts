/**
 * What a process still has to tell about its run: items not yet framed, and frames not yet acknowledged, in order.
 *
 * A frame stays here until the control plane says that it is stored, so that it can be sent again over a new
 * connection. Nothing here knows how frames travel.
 */
import { SluiceError } from "../protocol/errors.ts";
import type { TaskRunId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { ChannelItem, TaskReport } from "../protocol/run-channel.ts";
import type { OrchestrationResult, StateCreate } from "../protocol/states.ts";

/** Characters of JSON after which a frame takes no further item: well below what a socket or a request may carry. */
const FRAME_CHARS = 512 * 1024;

interface BatchEntry {
  readonly kind: "batch";
  readonly n: number;
  readonly items: number;
  readonly json: string;
}

interface ProposalEntry {
  readonly kind: "propose";
  readonly id: number;
  readonly json: string;
  readonly resolve: (result: OrchestrationResult) => void;
  readonly reject: (error: Error) => void;
}

type Entry = BatchEntry | ProposalEntry;

export class Outbox {
  #queue: ChannelItem[] = [];
  /** Items that were framed so far. */
  #framed = 0;
  /** Where the report of a task stands, to which its further states are added: its place in the queue plus `#framed`. */
  readonly #queuedTasks = new Map<TaskRunId, number>();
  #entries: Entry[] = [];
  #lastBatch = 0;
  #lastProposal = 0;
  #batchesInFlight = 0;
  #itemsInFlight = 0;

  /** Items that are not in a frame yet. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Items that are not acknowledged, framed or not. */
  get pendingItems(): number {
    return this.#queue.length + this.#itemsInFlight;
  }

  get batchesInFlight(): number {
    return this.#batchesInFlight;
  }

  get hasProposals(): boolean {
    return this.#entries.some((entry) => entry.kind === "propose");
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#entries.length === 0;
  }

  add(item: ChannelItem): void {
    if (item.kind === "log") {
      this.#queue.push(item);
      return;
    }
    const { task } = item;
    const place = this.#queuedTasks.get(task.id);
    const index = place === undefined ? -1 : place - this.#framed;
    const earlier = this.#queue[index];
    if (earlier?.kind === "task") {
      this.#queue[index] = { kind: "task", task: joined(earlier.task, task) };
      return;
    }
    this.#queuedTasks.set(task.id, this.#framed + this.#queue.length);
    this.#queue.push(item);
  }

  /** Puts queued items into one numbered batch and answers its frame; null when nothing is queued. */
  frame(): string | null {
    const parts: string[] = [];
    let chars = 0;
    for (const item of this.#queue) {
      if (parts.length === LIMITS.channelItems || chars > FRAME_CHARS) break;
      const json = JSON.stringify(item);
      parts.push(json);
      chars += json.length;
      if (item.kind === "task") this.#queuedTasks.delete(item.task.id);
    }
    if (parts.length === 0) return null;
    this.#queue = this.#queue.slice(parts.length);
    this.#framed += parts.length;
    const n = ++this.#lastBatch;
    const json = `{"type":"batch","n":${n},"items":[${parts.join(",")}]}`;
    this.#entries.push({ kind: "batch", n, items: parts.length, json });
    this.#batchesInFlight++;
    this.#itemsInFlight += parts.length;
    return json;
  }

  /** Adds a proposal behind everything that is queued; answers the frames to send now, the proposal last. */
  propose(state: StateCreate, force: boolean): { frames: string[]; verdict: Promise<OrchestrationResult> } {
    const frames: string[] = [];
    for (let batch = this.frame(); batch !== null; batch = this.frame()) frames.push(batch);
    const id = ++this.#lastProposal;
    const json = JSON.stringify({ type: "propose", id, state, force });
    const verdict = new Promise<OrchestrationResult>((resolve, reject) => {
      this.#entries.push({ kind: "propose", id, json, resolve, reject });
    });
    frames.push(json);
    return { frames, verdict };
  }

  /** Batches up to number `n` are stored. */
  acknowledge(n: number): void {
    const kept: Entry[] = [];
    for (const entry of this.#entries) {
      if (entry.kind === "batch" && entry.n <= n) {
        this.#batchesInFlight--;
        this.#itemsInFlight -= entry.items;
      } else kept.push(entry);
    }
    this.#entries = kept;
  }

  /** A proposal was answered. An answer that came twice changes nothing. */
  answer(id: number, result: OrchestrationResult): void {
    const entry = this.#entries.find((one) => one.kind === "propose" && one.id === id);
    if (entry?.kind !== "propose") return;
    this.#entries = this.#entries.filter((one) => one !== entry);
    entry.resolve(result);
  }

  /** All frames that are not acknowledged or answered, oldest first. */
  unacknowledged(): string[] {
    return this.#entries.map((entry) => entry.json);
  }

  /** Gives everything up: whoever waits for a verdict gets the error. */
  fail(error: Error): void {
    const entries = this.#entries;
    this.#entries = [];
    this.#queue = [];
    this.#queuedTasks.clear();
    this.#batchesInFlight = 0;
    this.#itemsInFlight = 0;
    for (const entry of entries) if (entry.kind === "propose") entry.reject(error);
  }
}

function joined(earlier: TaskReport, later: TaskReport): TaskReport {
  return { ...later, states: [...earlier.states, ...later.states] };
}

/** The error for items given to a channel that is closed. */
export function channelClosed(): SluiceError {
  return new SluiceError("conflict", "The run channel is closed: the run has ended in this process.", {
    fix: "Await every task, log line and artifact before the flow returns.",
  });
}
