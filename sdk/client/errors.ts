/** What can go wrong on the way to the control plane. What it says itself is a `SluiceError` (protocol/errors.ts). */
import { ERROR_STATUS, ErrorBody, type ErrorCode, SluiceError } from "../protocol/errors.ts";

/** Nobody answers at the API's address, or something else than a control plane does. */
export class ApiUnreachableError extends Error {
  override readonly name = "ApiUnreachableError";
  readonly url: string;
  /** What to do about it, as one sentence. */
  readonly fix: string;

  constructor(url: string, reason: string, cause?: unknown) {
    const fix =
      "Start the server with `sluice server start`, set SLUICE_API_URL to where it listens, or unset it to run without a server.";
    super(`The Sluice API at ${url} cannot be reached: ${reason}. ${fix}`, { cause });
    this.url = url;
    this.fix = fix;
  }
}

/** The error that an answer other than a success stands for. */
export function errorOfAnswer(status: number, text: string, request: string): SluiceError {
  const body = ErrorBody.safeParse(readJson(text));
  if (!body.success) {
    const said = text.trim().slice(0, 200);
    return new SluiceError(codeOfStatus(status), `${request} was answered ${status}${said ? `: ${said}` : ""}.`, {
      fix: "Check that SLUICE_API_URL is the address of a Sluice API of about the same version.",
    });
  }
  const { code, exception_message: message, fix, exception_detail: issues } = body.data;
  const known = code in ERROR_STATUS ? (code as ErrorCode) : codeOfStatus(status);
  return new SluiceError(known, message, { fix, ...(issues ? { issues } : {}) });
}

/** What a 401 means to whoever called: its own words say what to send, not who refused what. */
export function refusedKey(url: string, wasSent: boolean, { fix, detail, issues }: SluiceError): SluiceError {
  const said = wasSent ? "refuses the API key that was sent" : "wants an API key, and none was sent";
  return new SluiceError("unauthorized", `The Sluice API at ${url} ${said}.`, { fix, detail, issues });
}

/** A code for an answer or a frame that carries none of the closed list. */
function codeOfStatus(status: number): ErrorCode {
  const [code] = (Object.entries(ERROR_STATUS) as [ErrorCode, number][]).find(([, known]) => known === status) ?? [];
  return code ?? (status >= 500 || status === 429 || status === 408 ? "overloaded" : "validation");
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller says what was answered instead of JSON.
    return null;
  }
}

/** The reason of a failed `fetch`, which is often two causes deep. */
export function networkReason(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
    if (!(cause.cause instanceof Error)) return cause.message;
  }
  return String(error);
}

const NEVER_SENT: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ConnectionRefused"]);

/** Whether a failed request certainly did nothing, because there was no connection. */
export function wasNeverSent(error: unknown): boolean {
  return NEVER_SENT.has(networkReason(error));
}
