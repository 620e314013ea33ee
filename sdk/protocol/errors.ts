/** The closed list of error codes, and the one envelope in which every error travels. */
import { z } from "zod";

/** Code → HTTP status. Nobody matches on messages. */
export const ERROR_STATUS = {
  bad_json: 400,
  bad_reference: 400,
  bad_version: 400,
  /** The request cannot be met as things are, whatever its form. */
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  foreign_host: 403,
  foreign_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  stale_generation: 409,
  /** A lease has ended. */
  gone: 410,
  payload_too_large: 413,
  validation: 422,
  /** No slot is free; Retry-After says when to ask again. */
  locked: 423,
  protocol_unsupported: 426,
  overloaded: 503,
  not_ready: 503,
  not_configured: 503,
} as const satisfies Record<string, number>;

/** The word in `code` of an {@link ErrorBody}. A defect of the server has `defect`, which is none of these. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** One thing that is wrong with a request: where, what, with which value, and what to send instead. */
export const FieldIssue = z.object({
  /** `body`, `query` or `path`, then keys and positions down to the field. */
  loc: z.array(z.union([z.string(), z.number()])),
  /** What is wrong, in words. */
  msg: z.string(),
  /** The rule that was broken, as one word. */
  type: z.string(),
  /** The value that was sent, cut to 200 characters. */
  input: z.unknown().optional(),
});
export type FieldIssue = z.infer<typeof FieldIssue>;

/**
 * The envelope. `exception_message`, `detail` and `exception_detail` are the keys that Prefect's clients read;
 * `code` and `fix` are for everybody else.
 */
export const ErrorBody = z.object({
  code: z.string(),
  exception_message: z.string(),
  detail: z.string(),
  fix: z.string(),
  /** Absent where no field is to blame. */
  exception_detail: z.array(FieldIssue).optional(),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

/** An error that a caller can understand and act on. */
export class SluiceError extends Error {
  override readonly name: string = "SluiceError";
  readonly code: ErrorCode;
  /** What to do about it, as one sentence. */
  readonly fix: string;
  readonly issues: readonly FieldIssue[];
  /** The message in upstream's words, which some clients compare; the message itself unless given. */
  readonly detail: string;
  /** When to ask again, for the header Retry-After; null says nothing of it. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      fix: string;
      issues?: readonly FieldIssue[];
      cause?: unknown;
      detail?: string;
      retryAfterSeconds?: number;
    },
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
    this.issues = options.issues ?? [];
    this.detail = options.detail ?? message;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      exception_message: this.message,
      detail: this.detail,
      fix: this.fix,
      ...(this.issues.length > 0 ? { exception_detail: [...this.issues] } : {}),
    };
  }
}

/** The error for something that does not exist. */
export function notFound(kind: string, which: string, fix?: string): SluiceError {
  return new SluiceError("not_found", `${kind} ${which} was not found.`, {
    fix: fix ?? `Check the id or name, and that the ${kind.toLowerCase()} was not deleted.`,
    detail: `${kind} not found`,
  });
}
