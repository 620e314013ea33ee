import { describe, it } from "vitest";
import { fillPlaceholders, fromVariables } from "../../../sdk/runner/template/placeholders.ts";

const VARIABLES = {
  image: "node:24",
  count: 3,
  env: { A: "1" },
  nested: { deep: { name: "x" } },
  nothing: null,
  "a.b": 5,
};
const ENV = { HOME_OF: "worker", EMPTY: "" };

const RULES: readonly (readonly [string, unknown, unknown])[] = [
  ["text without placeholders stays", "plain", "plain"],
  ["a placeholder alone becomes the value as it is", { n: "{{ count }}" }, { n: 3 }],
  ["blanks around a name do not matter", "{{count}}", 3],
  ["blanks around a placeholder that is alone do not matter", " {{ env }} ", { A: "1" }],
  ["inside text a value is written out", "v{{ count }}-{{ image }}", "v3-node:24"],
  ["inside text an object is written as JSON", "env={{ env }}", 'env={"A":"1"}'],
  ["a variable may be looked into", "{{ nested.deep.name }}", "x"],
  ["a name with a dot of its own wins", "{{ a.b }}", 5],
  ["a key whose value there is not disappears", { a: "{{ missing }}", b: 1 }, { b: 1 }],
  ["a variable that is null counts as missing", { a: "{{ nothing }}" }, {}],
  ["an item of a list whose value there is not disappears", ["{{ missing }}", "{{ count }}"], [3]],
  ["inside text a missing value leaves nothing", "a{{ missing }}b", "ab"],
  ["the worker's environment is read", "{{ $HOME_OF }}", "worker"],
  ["an unset variable of the environment is empty", "{{ $NOT_THERE }}", ""],
  ["references are left for later", "{{ prefect.blocks.secret.x }}", "{{ prefect.blocks.secret.x }}"],
  ["references inside text too", "t:{{prefect.variables.y}}", "t:{{ prefect.variables.y }}"],
  ["numbers, truth and null stay", [1, true, null], [1, true, null]],
];

describe("a placeholder", () => {
  it.for(RULES)("%s", ([, template, filled], { expect }) => {
    expect(fillPlaceholders(template, fromVariables(VARIABLES, ENV))).toEqual(filled);
  });

  it("in a value that was filled in is not filled", ({ expect }) => {
    expect(fillPlaceholders("{{ a }}", fromVariables({ a: "{{ $SECRET }}" }, { SECRET: "s" }))).toBe("{{ $SECRET }}");
  });

  it("cannot reach what objects inherit", ({ expect }) => {
    expect(
      fillPlaceholders({ a: "{{ constructor }}", b: "{{ env.toString }}" }, fromVariables(VARIABLES, ENV)),
    ).toEqual({});
  });
});
