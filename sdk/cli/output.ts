/** What a command prints: JSON for programs or text for people, never both on one stream. */
import type { ShownError } from "./errors.ts";

export type OutputFormat = "json" | "table";

/** One column of a table, or one line of an item. */
export interface Column<T> {
  readonly title: string;
  value(row: T): string | number | boolean | null | undefined;
}

export interface Output {
  readonly format: OutputFormat;
  /** The answer is a list: an array, or aligned columns. `empty` is what a person reads instead of an empty table. */
  list<T>(rows: readonly T[], columns: readonly Column<T>[], empty: string): void;
  /** The answer is one thing: an object, or a line per field. */
  item<T>(value: T, fields: readonly Column<T>[]): void;
  /** One of a stream of things (logs, states): a line of JSON each, or `text`. */
  event(value: unknown, text: string): void;
  /** Progress and hints for a person. They go to standard error while JSON is on standard output. */
  note(text: string): void;
  error(error: ShownError): void;
}

/** Where the text goes; each takes whole lines. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

export function createOutput(format: OutputFormat, streams: Streams): Output {
  const asJson = format === "json";
  const print = (value: unknown): void => streams.out(`${JSON.stringify(value, null, 2)}\n`);
  return {
    format,
    list(rows, columns, empty) {
      if (asJson) print(rows);
      else streams.out(rows.length === 0 ? `${empty}\n` : table(rows, columns));
    },
    item(value, fields) {
      if (asJson) return print(value);
      const width = Math.max(...fields.map((field) => field.title.length));
      for (const field of fields) streams.out(`${field.title.padEnd(width)}  ${cell(field.value(value))}\n`);
    },
    event: (value, text) => streams.out(`${asJson ? JSON.stringify(value) : text}\n`),
    note: (text) => (asJson ? streams.err : streams.out)(`${text}\n`),
    error({ code, message, fix, issues }) {
      if (asJson) return streams.err(`${JSON.stringify({ error: { code, message, fix, issues } }, null, 2)}\n`);
      // An issue that the message or the fix repeats word for word is not told twice.
      const told = (issue: string): boolean =>
        [message, fix].some((text) => text.includes(issue.replace(/^[\w.]+: /, "")));
      const fields = issues.map((issue) => (told(issue) ? "" : `  ${issue}\n`)).join("");
      streams.err(`error: ${message}\n${fields}  → ${fix}\n`);
    },
  };
}

function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [columns.map((column) => column.title), ...rows.map((row) => columns.map((c) => cell(c.value(row))))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((text, at) => text.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** A value that fits in one line of a table, and cannot steer the terminal it is printed on. */
function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined || value === "") return "-";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
  return String(value).replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
