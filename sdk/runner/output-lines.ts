/** Cuts a stream of bytes into lines of text. */
import { StringDecoder } from "node:string_decoder";

/** A line that is longer than this many characters is passed on in pieces. */
const LONGEST_LINE = 65_536;

export interface LineReader {
  push(chunk: Uint8Array): void;
  /** Passes on what stands after the last line break. */
  end(): void;
}

/** Calls `onLine` with each line, without its break, as soon as it is whole or has so many characters. */
export function lineReader(onLine: (line: string) => void, longestLine = LONGEST_LINE): LineReader {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
    while (rest.length > longestLine) {
      onLine(rest.slice(0, longestLine));
      rest = rest.slice(longestLine);
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
