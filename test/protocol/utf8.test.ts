/** How much room texts take, and what is kept of those that take too much. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { LIMITS } from "#protocol/limits";
import { LogCreate } from "#protocol/logs";
import { utf8Length, utf8Prefix } from "#protocol/utf8";

const encoded = (text: string) => new TextEncoder().encode(text).length;

describe("the length of a text in UTF-8", () => {
  it.for(["", "plain", "é", "€", "😀", "a😀b", "\ud800", "\udc00x"])(
    "of %j is that of its encoding",
    (text, { expect }) => {
      expect(utf8Length(text)).toBe(encoded(text));
    },
  );
});

it("the beginning of a text has no more bytes than asked for, tears no character, and lacks no further one", ({
  expect,
}) => {
  const property = fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, bytes) => {
    const prefix = utf8Prefix(text, bytes);
    expect(text.startsWith(prefix)).toBe(true);
    expect(encoded(prefix)).toBeLessThanOrEqual(bytes);
    const [next] = text.slice(prefix.length);
    if (next !== undefined) expect(encoded(prefix + next)).toBeGreaterThan(bytes);
  });
  fc.assert(property);
});

describe("a log message", () => {
  const kept = (message: string) => {
    const line = { name: "n", level: 20, message, timestamp: "2026-01-01T00:00:00Z" };
    return LogCreate.parse(line).message;
  };

  it("of as many bytes as are allowed is kept as it is", ({ expect }) => {
    const message = "a".repeat(LIMITS.logMessageBytes);
    expect(kept(message)).toBe(message);
  });

  it.for(["a", "é", "😀"])("of too many %s is cut, and says so", (character, { expect }) => {
    const message = kept(character.repeat(LIMITS.logMessageBytes + 1));
    expect(message.endsWith(`${character} … (cut)`)).toBe(true);
    expect(encoded(message)).toBeLessThanOrEqual(LIMITS.logMessageBytes);
    expect(encoded(message)).toBeGreaterThan(LIMITS.logMessageBytes - 8);
  });
});
