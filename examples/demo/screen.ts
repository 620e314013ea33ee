/** What the demo shows: lines that stay and, on a terminal, one line at the bottom that changes. */

const isTerminal = process.stdout.isTTY === true;
/** Without a terminal, progress is a line of its own, at most this often. */
const PLAIN_PROGRESS_MS = 500;

const CLEAR = "\r\u001b[2K";

let bottom = "";
let progressAt = 0;
let lastPlain = "";

/** Writes a line that stays. */
export function line(text = ""): void {
  process.stdout.write(`${bottom === "" ? "" : CLEAR}${text}\n${bottom}`);
}

/** Shows where things are. An empty text takes the changing line away. */
export function progress(text: string): void {
  if (isTerminal) {
    bottom = text.slice(0, (process.stdout.columns ?? 80) - 1);
    process.stdout.write(CLEAR + bottom);
    return;
  }
  const now = performance.now();
  if (text === "" || text === lastPlain || now - progressAt < PLAIN_PROGRESS_MS) return;
  progressAt = now;
  lastPlain = text;
  process.stdout.write(`             ${text}\n`);
}

/** A heading between the parts. */
export function heading(text: string): void {
  line();
  line(isTerminal ? `\u001b[1m${text}\u001b[0m` : `== ${text}`);
}

/** Rows under a head, in columns as wide as they need; numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const [index, row] of cells.entries()) {
    const padded = row.map((cell, column) => {
      const isNumber = typeof rows[0]?.[column] === "number";
      return isNumber ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
    });
    line(`  ${padded.join("  ").trimEnd()}`);
    if (index === 0) line(`  ${widths.map((width) => "─".repeat(width)).join("  ")}`);
  }
}
