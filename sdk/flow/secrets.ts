/** Secrets that this process has come to know, kept out of what it logs and reports. */

const MASK = "********";
/** Shorter texts stand in too many places for their masking to tell anything but nonsense. */
const LEAST_CHARS = 5;
/** Beyond this many the oldest are forgotten: a program that reads other blocks for ever must not grow. */
const MOST = 1_000;

const known = new Set<string>();
let pattern: RegExp | null = null;

/** Every text within a value is masked from now on, in log lines and in messages of states. */
export function rememberSecret(value: unknown): void {
  if (typeof value === "string") {
    if (value.length < LEAST_CHARS || known.has(value)) return;
    known.add(value);
    for (const oldest of known) {
      if (known.size <= MOST) break;
      known.delete(oldest);
    }
    pattern = null;
  } else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) rememberSecret(one);
}

/** The text with each known secret replaced by asterisks. */
export function masked(text: string): string {
  if (known.size === 0) return text;
  // The longest first, so that a secret within another one does not leave the rest of it.
  pattern ??= new RegExp(
    [...new Set([...known].flatMap(spellings))]
      .sort((a, b) => b.length - a.length)
      .map((secret) => secret.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("|"),
    "g",
  );
  return text.replace(pattern, MASK);
}

/** As it is, and as it stands within JSON: a private key has line ends, which fields and values of log lines escape. */
function spellings(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1)];
}

const SECRET_NAME = /passw|passphrase|secret|token|api[-_]?key|authorization|credential|cookie|private[-_]?key/i;
const LONGEST_CHARS = 1_000;
const DEEPEST = 6;
const MOST_ITEMS = 100;
const NONE: ReadonlySet<string> = new Set();

/** A value for a log line: JSON, cut where it is long, with what is secret by its name masked, and by `fields` on top. */
export function shown(value: unknown, fields: ReadonlySet<string> = new Set()): string {
  const whole = masked(JSON.stringify(printable(value, fields, new Set())) ?? "undefined");
  return whole.length > LONGEST_CHARS ? `${whole.slice(0, LONGEST_CHARS)} … (${whole.length} characters)` : whole;
}

function printable(value: unknown, secret: ReadonlySet<string>, above: Set<object>): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name || "without a name"}]`;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date || value instanceof URL) return String(value.toJSON());
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.has(value)) return "[a part of itself]";
  if (above.size >= DEEPEST) return "…";
  above.add(value);
  const made = printableEntries(value, secret, above);
  above.delete(value);
  return made;
}

function printableEntries(value: object, secret: ReadonlySet<string>, above: Set<object>): unknown {
  const within = (one: unknown): unknown => printable(one, NONE, above);
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, MOST_ITEMS).map(within);
  const entries = value instanceof Map ? [...value].map(([key, one]) => [String(key), one]) : Object.entries(value);
  return Object.fromEntries(
    entries
      .slice(0, MOST_ITEMS)
      .map(([name, one]) => [name, secret.has(name) || SECRET_NAME.test(name) ? MASK : within(one)]),
  );
}
