import { describe, it } from "vitest";
import { lineReader } from "../../../sdk/runner/output-lines.ts";

function linesOf(...chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const reader = lineReader((line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

describe("the output of a process", () => {
  it("is passed on by lines, wherever it is cut", ({ expect }) => {
    const bytes = new TextEncoder().encode("first\nzweite Zeile: äöü €\r\n\nlast");
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(linesOf(bytes.slice(0, cut), bytes.slice(cut))).toEqual(["first", "zweite Zeile: äöü €", "", "last"]);
    }
  });

  it("is passed on in pieces when a line never ends, and nothing of it is lost", ({ expect }) => {
    const bytes = new TextEncoder().encode("x".repeat(200_000));
    const lines = linesOf(bytes);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join("")).toHaveLength(200_000);
  });
});
