import { describe, it } from "vitest";
import { CHILD_EXIT, exitReason, lastErrorIn, type ProcessExit } from "../../../sdk/runner/exit-reason.ts";

const reasons: readonly (readonly [ProcessExit, RegExp])[] = [
  [{ code: null, signal: "SIGKILL" }, /killed \(SIGKILL\).*out of memory/],
  [{ code: null, signal: "SIGTERM" }, /asked to end \(SIGTERM\)/],
  [{ code: null, signal: "SIGSEGV" }, /native code \(SIGSEGV\)/],
  [{ code: null, signal: "SIGUSR2" }, /ended by SIGUSR2/],
  [{ code: 0, signal: null }, /code 0 before the flow did.*process\.exit/],
  [{ code: 1, signal: null }, /code 1.*nothing caught/],
  [{ code: 13, signal: null }, /top-level await/],
  [{ code: CHILD_EXIT.unreachable, signal: null }, /could not reach the control plane/],
  [{ code: 137, signal: null }, /code 137, which stands for signal 9/],
  [{ code: 42, signal: null }, /ended with code 42\.$/],
];

describe("the reason why a run's process is gone", () => {
  for (const [exit, sentence] of reasons) {
    it(`is told for ${exit.signal ?? `code ${exit.code}`}`, ({ expect }) => {
      expect(exitReason(exit)).toMatch(/^The run's process is gone: .*\.$/);
      expect(exitReason(exit)).toMatch(sentence);
    });
  }

  it("quotes the error that the process wrote last", ({ expect }) => {
    const reason = exitReason({ code: 1, signal: null }, "TypeError: rows is not iterable");
    expect(reason).toMatch(/nothing caught\. Its last error: TypeError: rows is not iterable$/);
  });

  it("names a full heap instead of the signal that follows from it", ({ expect }) => {
    const line = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
    const reason = exitReason({ code: null, signal: "SIGABRT" }, line);
    expect(reason).toMatch(/heap ran out of memory.*--max-old-space-size/);
    expect(reason).not.toContain("SIGABRT");
  });
});

describe("the last error of a process", () => {
  it("is found above the stack and the version that Node prints", ({ expect }) => {
    const lines = [
      "12:00:00 INFO run: started",
      "file:///app/flow.ts:3",
      "  throw new RangeError('too many');",
      "        ^",
      "",
      "RangeError: too many",
      "    at file:///app/flow.ts:3:9",
      "",
      "Node.js v24.21.0",
    ];
    expect(lastErrorIn(lines)).toBe("RangeError: too many");
  });

  it("carries the code of a Node error", ({ expect }) => {
    expect(lastErrorIn(["Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad'"])).toMatch(/left-pad/);
  });

  it("is not made up from ordinary output", ({ expect }) => {
    expect(lastErrorIn(["all is well", "  at noon: 3 errors: none", "error count 0"])).toBeNull();
  });
});
