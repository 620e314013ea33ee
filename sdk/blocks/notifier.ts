/** How blocks tell people something: one HTTP request or several, and an error that tells no secret. */
import { configuredFetch } from "../flow/configuration.ts";
import { masked } from "../flow/secrets.ts";

/** Tells people something. */
export interface Notifier {
  /** Throws when the message was not taken: what was answered, and nothing of the address. */
  notify(body: string, subject?: string): Promise<void>;
}

/** One request of a notification. */
export interface NotificationRequest {
  readonly url: string;
  /** Default: POST. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is: a form, or text. */
  readonly body?: URLSearchParams | string;
  /** Default: 30 seconds. */
  readonly timeoutMs?: number;
}

const WITHIN_MS = 30_000;
const TOLD_CHARS = 500;

/** A notifier that sends these requests one after the other. */
export function notifier(requests: (body: string, subject: string | null) => readonly NotificationRequest[]): Notifier {
  return {
    async notify(body, subject) {
      for (const request of requests(body, subject ?? null)) await send(request);
    },
  };
}

/** The text with its subject above it. */
export function withSubject(body: string, subject: string | null): string {
  return subject === null ? body : `${subject}\n${body}`;
}

/** What is said, without what was not. */
export function said(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

async function send({ url, method = "POST", headers, json, body, timeoutMs = WITHIN_MS }: NotificationRequest) {
  const content = json === undefined ? body : JSON.stringify(json);
  const type = json === undefined ? {} : { "content-type": "application/json" };
  let response: Response;
  try {
    response = await configuredFetch()(url, {
      method,
      headers: { ...type, ...headers },
      ...(content === undefined ? {} : { body: content }),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    // The cause is not handed on: it may name the address, which is a secret.
    throw new Error(`The message was not sent: ${masked(inner instanceof Error ? inner.message : String(inner))}`);
  }
  const answer = response.ok ? "" : (await response.text()).slice(0, TOLD_CHARS);
  if (!response.ok) throw new Error(masked(`The message was not taken: ${response.status} ${answer}`.trim()));
  await response.body?.cancel();
}
