/** Keeps an engine running: one that ends by itself is started again, unless it does so again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address, Engine, RunningEngine } from "./engine.ts";
import { ServerError } from "./errors.ts";

interface Supervision {
  readonly engine: Engine;
  readonly running: RunningEngine;
  /** Where it listens, and where its successors will. */
  readonly address: Address;
  waitUntilServing(running: RunningEngine): Promise<void>;
  report(line: string): void;
}

export interface SupervisedEngine {
  /** Null after `stop` or `kill`; else why it is not started again. */
  readonly ended: Promise<ServerError | null>;
  stop(): Promise<void>;
  kill(): void;
}

const MAX_CRASHES = 5;
const CRASH_WINDOW_MS = 60_000;
const FIRST_BACKOFF_MS = 50;

export function superviseEngine({ engine, running, address, waitUntilServing, report }: Supervision): SupervisedEngine {
  const stopping = new AbortController();
  let current: RunningEngine | null = running;

  /** Leaves in `current` what serves; null if nothing does. */
  const restart = async (): Promise<void> => {
    const started = await engine.start(address);
    current = started;
    // Somebody wanted it stopped while it was starting.
    if (stopping.signal.aborted) return started.stop();
    try {
      await waitUntilServing(started);
    } catch (error) {
      // One that runs without serving counts as a crash like any other.
      started.kill();
      throw error;
    }
  };

  const supervise = async (): Promise<ServerError | null> => {
    const crashes: number[] = [];
    for (;;) {
      const why = current === null ? "it could not be started" : await current.exited;
      if (stopping.signal.aborted) return null;
      crashes.push(performance.now());
      const recent = crashes.filter((at) => performance.now() - at < CRASH_WINDOW_MS).length;
      if (recent >= MAX_CRASHES) {
        return new ServerError("engine_crashed", `The engine ended ${recent} times within a minute, last by ${why}.`, {
          fix: "See server.log in the data folder for its last words; acknowledged data is kept.",
        });
      }
      const backoffMs = FIRST_BACKOFF_MS * 4 ** (recent - 1);
      report(
        `The engine ended unexpectedly (${why}); starting it again in ${backoffMs} ms (${recent} of ${MAX_CRASHES}).`,
      );
      await sleep(backoffMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return null;
      current = null;
      try {
        await restart();
        if (!stopping.signal.aborted) report("The engine is serving again.");
      } catch (error) {
        report(`The engine did not come back: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };

  const ended = supervise();
  return {
    ended,
    async stop() {
      stopping.abort();
      await current?.stop();
      await ended;
    },
    kill() {
      stopping.abort();
      current?.kill();
    },
  };
}
