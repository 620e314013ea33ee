/** Something about the run itself keeps it from being started on this machine: trying again is of no use. */
export class CannotStartError extends Error {
  override readonly name = "CannotStartError";
}
