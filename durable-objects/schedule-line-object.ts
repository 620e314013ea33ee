/**
 * Lines up the runs of one schedule that must not overlap: which of them may run, and who waits. Only schedules with
 * such a policy have one. A run that holds the place is asked for its state before another is turned away, so that a
 * word that was lost (see `ended`) delays the next run and blocks none.
 */
import { DurableObject } from "cloudflare:workers";
import type { FlowRunId } from "#protocol/ids";
import { isTerminal, type StateCreate } from "#protocol/states";
import { ownerOf } from "./partition.ts";
import type { Admission, Restriction, ScheduleLineOwner } from "./schedule-line-owner.ts";
import { startNow, superseded } from "./schedule-states.ts";

const KEY = "line";

/** Kept as one value: a schedule's line is short. */
interface Line {
  readonly holder: FlowRunId | null;
  /** In the order in which they came. */
  readonly waiting: readonly FlowRunId[];
}

export class ScheduleLineObject extends DurableObject<Env> implements ScheduleLineOwner {
  /** Admissions are decided one after another, since each asks other objects. */
  #last: Promise<unknown> = Promise.resolve();

  admit(id: FlowRunId, overlap: Restriction): Promise<Admission> {
    return this.#inTurn(async () => {
      const { holder, waiting } = await this.#settled();
      if (holder === id) return { kind: "go" };
      const [first] = waiting;
      if (holder === null && (first === undefined || first === id)) {
        this.#put({ holder: id, waiting: waiting.slice(first === id ? 1 : 0) });
        return { kind: "go" };
      }
      const before = holder ?? first ?? id;
      if (waiting.includes(id)) return { kind: "wait", for: before };
      if (overlap === "SKIP" || (overlap === "BUFFER_ONE" && waiting.length > 0)) return { kind: "skip", for: before };
      if (overlap === "CANCEL_OTHER") {
        this.#put({ holder, waiting: [id] });
        await this.#propose(waiting, superseded(id, "CANCELLED"));
        if (holder !== null) await this.#propose([holder], superseded(id, "CANCELLING"));
      } else this.#put({ holder, waiting: [...waiting, id] });
      return { kind: "wait", for: before };
    });
  }

  ended(id: FlowRunId): Promise<void> {
    return this.#inTurn(async () => {
      const known = this.#line();
      if (known.holder !== id && !known.waiting.includes(id)) return;
      const { holder, waiting } = await this.#settled();
      const [next] = waiting;
      // It asks again before it starts: what is told here only makes it ask at once.
      if (holder === null && next !== undefined) await this.#propose([next], startNow());
    });
  }

  #line(): Line {
    return this.ctx.storage.kv.get<Line>(KEY) ?? { holder: null, waiting: [] };
  }

  #put(line: Line): void {
    if (line.holder === null && line.waiting.length === 0) this.ctx.storage.kv.delete(KEY);
    else this.ctx.storage.kv.put(KEY, line);
  }

  /** The line without those that have ended or are gone. */
  async #settled(): Promise<Line> {
    const { holder, waiting } = this.#line();
    const ids = holder === null ? waiting : [holder, ...waiting];
    const open = await Promise.all(
      ids.map(async (id) => {
        const run = await ownerOf(this.env.FLOW_RUNS, id)?.read(id);
        return run != null && !isTerminal(run.state_type ?? undefined);
      }),
    );
    const left = new Set(ids.filter((_, index) => open[index]));
    const line = {
      holder: holder !== null && left.has(holder) ? holder : null,
      waiting: waiting.filter((id) => left.has(id)),
    };
    if (left.size < ids.length) this.#put(line);
    return line;
  }

  async #propose(ids: readonly FlowRunId[], state: StateCreate): Promise<void> {
    await Promise.all(ids.map((id) => ownerOf(this.env.FLOW_RUNS, id)?.setState(id, { state, force: false })));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
