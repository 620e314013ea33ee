/** For how long things are kept, from the server's configuration. */

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Spans in milliseconds since the end, the last sign of life, or the end of a key's term; null keeps for ever. */
export interface RetentionTerms {
  readonly runMs: number | null;
  readonly eventMs: number | null;
  readonly workerMs: number | null;
  readonly deadLetterMs: number | null;
  readonly keyMs: number | null;
}

const DEFAULT_DAYS = { run: 30, event: 7, worker: 30, deadLetter: 30, key: 30 } as const;

/** 0 keeps for ever, and so does what is not a number: nothing is deleted because of a slip. */
export function retentionTerms(env: Env): RetentionTerms {
  return {
    runMs: span(env.SLUICE_RUN_RETENTION_DAYS, DEFAULT_DAYS.run),
    eventMs: span(env.SLUICE_EVENT_RETENTION_DAYS, DEFAULT_DAYS.event),
    workerMs: span(env.SLUICE_WORKER_RETENTION_DAYS, DEFAULT_DAYS.worker),
    deadLetterMs: span(env.SLUICE_DEAD_LETTER_RETENTION_DAYS, DEFAULT_DAYS.deadLetter),
    keyMs: span(env.SLUICE_KEY_RETENTION_DAYS, DEFAULT_DAYS.key),
  };
}

/** A span in days for people; null stays null. */
export function inDays(spanMs: number | null): number | null {
  return spanMs === null ? null : spanMs / DAY_MS;
}

function span(given: string | undefined, defaultDays: number): number | null {
  const days = given === undefined || given.trim() === "" ? defaultDays : Number(given);
  if (Number.isNaN(days) || days < 0) {
    console.warn(`A retention of "${given}" days is not a number of days of at least 0; nothing is removed.`);
    return null;
  }
  return days === 0 ? null : days * DAY_MS;
}
