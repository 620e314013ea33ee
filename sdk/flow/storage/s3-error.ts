/** What goes wrong with a bucket. */

/** What the bucket answered when it refused, or why it did not answer. Names the object, never a credential. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  /** Null when there was no answer. */
  readonly status: number | null;
  /** S3's own word for it, such as `NoSuchBucket`; null when there was none. */
  readonly code: string | null;

  constructor(message: string, status: number | null, code: string | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
  }
}
