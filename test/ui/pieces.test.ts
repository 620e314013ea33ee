/** Pieces of the UI that need no browser. */
import { describe, it } from "vitest";
import type { Deployment } from "../../sdk/protocol/deployments.ts";
import type { FlowRun } from "../../sdk/protocol/flow-runs.ts";
import { WireTime } from "../../sdk/protocol/time.ts";
import { ListSearch } from "../../ui/components/list-search.ts";
import { fieldSchema } from "../../ui/components/schema-form/json-schema.ts";
import { parseSearchValue } from "../../ui/components/search-values.ts";
import { durationText, relativeText } from "../../ui/elements/spans.ts";
import { stateWords } from "../../ui/elements/state-words.ts";
import { sentData, shownData } from "../../ui/pages/blocks/block-data.ts";
import { differences } from "../../ui/pages/compare/differences.ts";
import { asCli, asCurl, asTypeScript } from "../../ui/pages/flow-run/actions/copied-call.ts";
import { ansiPieces } from "../../ui/pages/flow-run/log/ansi.ts";
import { pageAfter } from "../../ui/pages/flow-runs/run-page.ts";

describe("a span", () => {
  it.for([
    [0.34, "340 ms"],
    [1.25, "1.3 s"],
    [59.4, "59 s"],
    [192, "3 m 12 s"],
    [7_500, "2 h 5 m"],
    [270_000, "3 d 3 h"],
    [-1, "0 ms"],
  ] as const)("of %d seconds is %s", ([seconds, text], { expect }) => {
    expect(durationText(seconds)).toBe(text);
  });

  it.for([
    [0, "just now"],
    [-12_000, "12 s ago"],
    [180_000, "in 3 min"],
    [-5 * 3_600_000, "5 h ago"],
    [2 * 86_400_000, "in 2 d"],
  ] as const)("of %d ms from now is %s", ([ms, text], { expect }) => {
    expect(relativeText(1e12 + ms, 1e12)).toBe(text);
  });
});

describe("a line with ANSI escapes", () => {
  it.for([
    ["plain", [["plain", ""]]],
    [
      "a \u001b[31mred\u001b[0m one",
      [
        ["a ", ""],
        ["red", "ansi-31"],
        [" one", ""],
      ],
    ],
    [
      "\u001b[1;92mbright\u001b[22m light",
      [
        ["bright", "ansi-32 ansi-bold"],
        [" light", "ansi-32"],
      ],
    ],
    ["\u001b[2K\u001b]0;title\u0007done", [["done", ""]]],
    ["\u001b[38;5;31mteal\u001b[0m", [["teal", "ansi-36"]]],
    ["\u001b[38;5;9;1mred", [["red", "ansi-31 ansi-bold"]]],
    [
      "\u001b[38;5;240mgrey \u001b[38;5;255mwhite",
      [
        ["grey ", "ansi-30"],
        ["white", ""],
      ],
    ],
    [
      "\u001b[48;5;31;4mon a ground\u001b[24;48;2;1;31;4m none",
      [
        ["on a ground", "ansi-underline"],
        [" none", ""],
      ],
    ],
    ["\u001b[38;2;255;136;0;3morange", [["orange", "ansi-33 ansi-italic"]]],
    [
      "\u001b[38:2::0:80:255mblue\u001b[39m plain",
      [
        ["blue", "ansi-34"],
        [" plain", ""],
      ],
    ],
    [
      "\u001b[2mdim\u001b[22m\u001b[4:3m wavy\u001b[4:0m not",
      [
        ["dim", "ansi-dim"],
        [" wavy", "ansi-underline"],
        [" not", ""],
      ],
    ],
    [
      "\u001b[58;5;31;1mbold\u001b[38;5m nothing",
      [
        ["bold", "ansi-bold"],
        [" nothing", "ansi-bold"],
      ],
    ],
    ["\u001b[mplain", [["plain", ""]]],
  ] as const)("%j is cut into pieces", ([text, pieces], { expect }) => {
    expect(ansiPieces(text).map((piece) => [piece.text, piece.classes])).toEqual(pieces);
  });
});

describe("a field of a JSON schema", () => {
  it.for([
    [{ type: "string" }, "text", false],
    [{ type: "string", format: "date-time" }, "date-time", false],
    [{ type: "string", format: "date" }, "date", false],
    [{ anyOf: [{ type: "integer" }, { type: "null" }] }, "integer", true],
    [{ type: ["number", "null"] }, "number", true],
    [{ enum: ["a", "b"] }, "choice", false],
    [{ $ref: "#/definitions/Size" }, "choice", false],
    [{ allOf: [{ $ref: "#/definitions/Size" }], default: "m" }, "choice", false],
    [{ type: "object", properties: { a: {} } }, "group", false],
    [{ type: "object" }, "json", false],
    [{ anyOf: [{ type: "string" }, { type: "integer" }] }, "json", false],
    [{}, "json", false],
  ] as const)("%j is shown as %s", ([schema, kind, nullable], { expect }) => {
    const root = { definitions: { Size: { type: "string", enum: ["s", "m"] } } };
    expect(fieldSchema(schema, root)).toMatchObject({ kind, nullable });
  });
});

describe("a value typed as JSON", () => {
  it.for([
    [{ anyOf: [{ type: "string" }, { type: "integer" }] }, true],
    [{ anyOf: [{ $ref: "#/definitions/Name" }, { type: "object" }] }, true],
    [{}, true],
    [{ type: "array" }, false],
    [{ anyOf: [{ type: "integer" }, { type: "object" }] }, false],
  ] as const)("of the schema %j is taken as a text where it may be one: %s", ([schema, takesText], { expect }) => {
    const root = { definitions: { Name: { type: "string" } } };
    expect(fieldSchema(schema, root)).toMatchObject({ kind: "json", takesText });
  });
});

describe("a name in an address", () => {
  it.for([
    ["nightly", "nightly"],
    [203, "203"],
    [true, "true"],
    ["", undefined],
    [["a"], undefined],
  ] as const)("that is read as %j is %j", ([value, name], { expect }) => {
    expect(ListSearch.parse({ name: value }).name).toBe(name);
  });

  it.for(["203", "1e5", "0012", "null", "-1"])("written as %s is a text", (text, { expect }) => {
    expect(() => parseSearchValue(text)).toThrow("is a text");
  });
});

describe("a state within a sentence", () => {
  it.for([
    ["TimedOut", "timed out"],
    ["Failed", "failed"],
    ["My own State", "my own state"],
  ] as const)("%s is %s", ([name, words], { expect }) => {
    expect(stateWords(name)).toBe(words);
  });
});

describe("a run that is copied", () => {
  const call = {
    run: { parameters: { file: "a b.csv", limit: 3, note: "it's" } },
    deployment: { id: "01a1fe2a-0000-7000-8000-000000000001" as Deployment["id"], name: "nightly" },
    flow: { name: "daily orders" },
    origin: "http://127.0.0.1:4200",
  };

  it("is a command that a shell takes", ({ expect }) => {
    expect(asCli(call)).toBe(
      "SLUICE_API_URL=http://127.0.0.1:4200/api sluice deployment run 'daily orders/nightly' --param 'file=a b.csv' --param limit=3 --param 'note=it'\\''s'",
    );
  });

  it("is a request", ({ expect }) => {
    expect(asCurl(call)).toContain(`http://127.0.0.1:4200/api/deployments/${call.deployment.id}/create_flow_run`);
    expect(asCurl(call)).toContain('"note":"it\'\\\'\'s"');
  });

  it("is a program", ({ expect }) => {
    expect(asTypeScript(call)).toContain('parameters: {"file":"a b.csv","limit":3,"note":"it\'s"}');
  });
});

describe("the page of runs after those that are known", () => {
  const id = (number: number) => `01a1fe2a-0000-7000-8000-00000000000${number}` as FlowRun["id"];
  const row = (number: number, second: number) => ({
    id: id(number),
    expected_start_time: WireTime.parse(`2026-11-21T06:00:0${second}Z`),
  });

  it("begins at the time of the last one, without those of that time", ({ expect }) => {
    const rows = [row(1, 9), row(2, 5), row(3, 5)];
    const from = rows[2]?.expected_start_time;
    expect(pageAfter(rows, "EXPECTED_START_TIME_DESC")).toEqual({ offset: 0, from, without: [id(2), id(3)] });
  });

  it("begins after so many rows where the order is another one", ({ expect }) => {
    expect(pageAfter([row(1, 9), row(2, 5)], "NAME_ASC")).toEqual({ offset: 2, from: null, without: [] });
  });
});

describe("two sets of values", () => {
  it("are held against each other, what differs first", ({ expect }) => {
    expect(differences({ a: 1, b: [1], c: null }, { a: 1, b: [2] })).toEqual([
      { name: "b", left: "[1]", right: "[2]", isDifferent: true },
      { name: "c", left: "null", right: "–", isDifferent: true },
      { name: "a", left: "1", right: "1", isDifferent: false },
    ]);
  });
});

describe("a block in a form", () => {
  const id = "01a1fe2a-0000-7000-8000-000000000002";
  const schema = {
    properties: {
      url: { type: "string", format: "password" },
      note: { type: "string" },
      headers: { type: "object" },
      hosts: { type: "array" },
      proxy: { type: "object", properties: { host: { type: "string" }, password: { type: "string" } } },
      login: { $ref: "#/definitions/Login" },
    },
    definitions: { Login: { type: "object", properties: { user: { type: "string" }, token: { type: "string" } } } },
  };
  const document = {
    data: {
      url: "********",
      note: "by hand",
      headers: { Accept: "text/plain", Authorization: "********" },
      hosts: [{ name: "a", password: "********" }],
      proxy: { host: "proxy", password: "********" },
      login: { user: "ada", token: "********" },
    },
    block_document_references: { login: { block_document: { id, name: "ada" } } },
  };
  const kept = { ...document.data, login: { $ref: { block_document_id: id } } };
  const shown = {
    note: "by hand",
    headers: { Accept: "text/plain", Authorization: "********" },
    proxy: { host: "proxy" },
  };

  it("shows neither secrets nor what belongs to other blocks", ({ expect }) => {
    expect(shownData(schema, document)).toEqual(shown);
  });

  it.for([
    ["nothing", shown, kept],
    [
      "a field that is emptied",
      { headers: shown.headers, proxy: {} },
      { ...kept, note: undefined, proxy: { password: "********" } },
    ],
    [
      "a new secret",
      { ...shown, url: "new", proxy: { password: "p" } },
      { ...kept, url: "new", proxy: { password: "p" } },
    ],
    ["a secret taken out of an object", { ...shown, headers: { Accept: "a" } }, { ...kept, headers: { Accept: "a" } }],
  ] as const)("sends %s with the secrets and references that stay", ([, edited, sent], { expect }) => {
    expect(sentData(schema, document, edited)).toEqual(sent);
  });
});
