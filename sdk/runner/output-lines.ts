/** Cuts a stream of bytes into lines of text. */
import { StringDecoder } from "node:string_decoder";

/** A line that is longer than this many characters is passed on in pieces. */
const LONGEST_LINE = 65_536;

export interface LineReader {
  push(chunk: Uint8Array): void;
  /** Passes on what stands after the last line break. */
  end(): void;
}

/** Calls `onLine` with each line, without its break, as soon as it is whole. */
export function lineReader(onLine: (line: string) => void): LineReader {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
    while (rest.length > LONGEST_LINE) {
      onLine(rest.slice(0, LONGEST_LINE));
      rest = rest.slice(LONGEST_LINE);
    }
  };
  return {
    push: (chunk) => take(decoder.write(chunk)),
    end: () => {
      take(decoder.end());
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}
