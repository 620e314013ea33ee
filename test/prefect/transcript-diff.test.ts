import { describe as group, it } from "vitest";
import { describe, differences } from "./transcript-diff.ts";

group("the differences of two transcripts", () => {
  it("are none between equal ones, whatever the order of their keys", ({ expect }) => {
    expect(differences({ a: [1, { b: null, c: "x" }] }, { a: [1, { c: "x", b: null }] })).toEqual([]);
  });

  it("name the run and the field", ({ expect }) => {
    const expected = { flow_runs: [{ flow: "hello", states: ["PENDING Pending", "RUNNING Running"] }] };
    const actual = { flow_runs: [{ flow: "hello", states: ["PENDING Pending"] }] };
    expect(differences(expected, actual).map(describe)).toEqual([
      'flow_runs[0 hello].states[1]: Prefect "RUNNING Running", Sluice nothing',
    ]);
  });

  it.for([
    [null, undefined],
    [undefined, 0],
    [[], {}],
    ["1", 1],
    [{ a: null }, {}],
  ] as const)("tell %o from %o", ([expected, actual], { expect }) => {
    expect(differences(expected, actual)).toHaveLength(1);
  });
});
