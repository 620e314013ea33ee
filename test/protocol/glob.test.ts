import { describe, it } from "vitest";
import { globMatches } from "#protocol/glob";

describe("a shell pattern", () => {
  it.for<[string, string, boolean]>([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["**", "anything", true],
    ["a*", "a", true],
    ["a*c", "abbbc", true],
    ["a*c", "abbb", false],
    ["a*b*c", "a-b-b-c", true],
    ["*b", "ab-b", true],
    ["?", "", false],
    ["?", "é", true],
    ["a.c", "abc", false],
    ["(x|y)", "x", false],
    ["[ab]c", "bc", true],
    ["[ab]c", "cc", false],
    ["[a-c]", "b", true],
    ["[!a-c]", "b", false],
    ["[!a-c]", "d", true],
    ["[]]", "]", true],
    ["[!]]", "]", false],
    ["[a-]", "-", true],
    ["[ab", "[ab", true],
    ["[]", "[]", true],
    ["a\\*", "a\\b", true],
    ["line*", "line\nbreak", true],
  ])("%j against %j: %s", ([pattern, value, expected], { expect }) => {
    expect(globMatches(pattern, value)).toBe(expected);
  });
});
