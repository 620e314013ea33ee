import { describe, it } from "vitest";
import { commandWords } from "../../../sdk/runner/command-words.ts";

describe("a command", () => {
  it.for([
    ["python -m app", ["python", "-m", "app"]],
    ["  a\t b\n", ["a", "b"]],
    [`sh -c 'echo "hi there"'`, ["sh", "-c", 'echo "hi there"']],
    [`a "b \\" c"`, ["a", 'b " c']],
    ["a\\ b", ["a b"]],
    [`'a\\b'`, ["a\\b"]],
    [`a''b ""`, ["ab", ""]],
    ["echo $HOME; rm x", ["echo", "$HOME;", "rm", "x"]],
    ["", []],
  ] as const)("%j has the words %j", ([command, words], { expect }) => {
    expect(commandWords(command)).toEqual(words);
  });

  it("with a quote that is not closed is refused", ({ expect }) => {
    expect(() => commandWords("a 'b")).toThrow(/quote that is not closed/);
  });
});
