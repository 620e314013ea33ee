/** A log file that does not fill the disk: beyond a bound it is set aside, in place of the one set aside before. */
import { appendFileSync, renameSync, statSync } from "node:fs";

const MAX_BYTES = 10 * 1024 * 1024;

export class RotatingLog {
  readonly #file: string;
  #bytes: number;

  constructor(file: string) {
    this.#file = file;
    this.#bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Appends a line with the time in front. */
  write(line: string): void {
    if (this.#bytes > MAX_BYTES) {
      renameSync(this.#file, `${this.#file}.1`);
      this.#bytes = 0;
    }
    const text = `${new Date().toISOString()} ${line}\n`;
    appendFileSync(this.#file, text, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(text);
  }
}
