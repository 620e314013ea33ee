/** What a script may rely on. */
export const EXIT = {
  ok: 0,
  /** The command was understood and failed. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** The API could not be reached, or is not ready. */
  unreachable: 3,
  /** The API refused the key, or the key may not do this. */
  unauthorized: 4,
  /** What was named does not exist. */
  notFound: 5,
  /** There was no slot in time, or it was lost: worth another try later (EX_TEMPFAIL of sysexits.h). */
  noSlots: 75,
  /** The program that was to be run may not be executed, or is not there: as a shell says it. */
  notExecutable: 126,
  noProgram: 127,
  /** Stopped by Ctrl-C while waiting, or by a second signal before it could end in order. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
