/** Why the embedded server does not start, or ended: a closed list, each with a sentence and what to do. */

export type ServerErrorCode =
  | "not_built"
  | "address_invalid"
  | "root_key_required"
  | "port_in_use"
  | "data_folder_locked"
  | "data_folder_unusable"
  | "schema_newer"
  | "encryption_key_invalid"
  | "file_limit_too_low"
  | "engine_does_not_run"
  | "engine_crashed"
  | "migration_failed"
  | "not_ready_in_time";

export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;
  /** What to do about it, as one sentence. */
  readonly fix: string;

  constructor(code: ServerErrorCode, message: string, options: { fix: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
  }
}
