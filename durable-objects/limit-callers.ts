/**
 * Calls those who wait for slots of a limit elsewhere: at another limit that they need as well, or as a flow run with
 * its owner. Whoever is called comes and asks; the slots are kept for it for a moment.
 */
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import type { LimitDesk } from "./limit-desk.ts";
import type { LimitFinder } from "./limit-leases.ts";
import type { LineEntry } from "./limit-line.ts";
import { ownerOf } from "./partition.ts";

const RUN = "run:";

/** Where a flow run waits, in the words of the line. */
export function calledRun(id: FlowRunId): string {
  return RUN + id;
}

/** The flow run that waits there; null for another limit. */
export function runCalledAt(home: string): FlowRunId | null {
  return home.startsWith(RUN) ? (home.slice(RUN.length) as FlowRunId) : null;
}

/** For so long slots are kept for another limit's waiter who was called; it takes one round trip. */
const LIMIT_KEPT_MS = 2_000;
/** For so long slots are kept for a flow run, until a worker that polls has come by: Prefect's ask every 10 to 15 s. */
const RUN_KEPT_MS = 20_000;

export class LimitCallers {
  readonly #desk: LimitDesk;
  readonly #object: LimitFinder;
  readonly #flowRuns: Env["FLOW_RUNS"];

  constructor(desk: LimitDesk, object: LimitFinder, flowRuns: Env["FLOW_RUNS"]) {
    this.#desk = desk;
    this.#object = object;
    this.#flowRuns = flowRuns;
  }

  /** Inside a job: calls somebody in line, after the commit. */
  call(entry: LineEntry, home: string, now: EpochMs): void {
    const run = runCalledAt(home);
    const until = (now + (run === null ? LIMIT_KEPT_MS : RUN_KEPT_MS)) as EpochMs;
    this.#desk.line.call(entry, until);
    const told = async () => {
      const comes = run === null ? await this.#object(home).invited(entry.key, this.#ownId) : await this.#callRun(run);
      if (!comes) await this.#leave(entry.key, until);
    };
    this.#desk.afterCommit(() =>
      // It is called again when its time is over.
      this.#desk.waitUntil(
        told().catch((error: unknown) => console.warn(`A waiter at ${home} could not be called.`, error)),
      ),
    );
  }

  /**
   * Inside a job: asks after somebody at another limit, after the commit. That limit may have lost its memory and the
   * waiter its connection, with nobody left to give the place up. One who still waits asks for the slots again, and so
   * stands in line anew.
   */
  askAfter(entry: LineEntry, home: string): void {
    const told = async () => {
      if (await this.#object(home).invited(entry.key, this.#ownId)) return;
      await this.#desk.run(() => {
        const { line } = this.#desk;
        if (line.get(entry.key)?.since === entry.since) line.remove(entry.key);
      });
    };
    this.#desk.afterCommit(() =>
      this.#desk.waitUntil(
        told().catch((error: unknown) => console.warn(`A waiter at ${home} could not be asked after.`, error)),
      ),
    );
  }

  /** Nobody stands in line before a limit has its settings. */
  get #ownId(): string {
    return this.#desk.slots.settings?.id ?? "";
  }

  async #callRun(run: FlowRunId): Promise<boolean> {
    return (await ownerOf(this.#flowRuns, run)?.slotFree(run)) === "comes";
  }

  /** Whoever was called does not come. One that asked again meanwhile stands in line for that. */
  async #leave(key: string, until: EpochMs): Promise<void> {
    await this.#desk.run(() => {
      const { line } = this.#desk;
      const place = line.get(key)?.place;
      if (place?.kind === "elsewhere" && place.calledUntil === until) line.remove(key);
    });
  }
}
