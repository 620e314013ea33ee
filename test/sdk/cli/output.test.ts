import { describe, it } from "vitest";
import { type Column, createOutput, type OutputFormat } from "../../../sdk/cli/output.ts";

interface Vessel {
  readonly name: string;
  readonly litres: number | null;
}
const COLUMNS: readonly Column<Vessel>[] = [
  { title: "NAME", value: (row) => row.name },
  { title: "LITRES", value: (row) => row.litres },
];
const BATH: Vessel = { name: "bath", litres: 140 };
const CUP: Vessel = { name: "cup", litres: null };

function printed(format: OutputFormat, print: (output: ReturnType<typeof createOutput>) => void) {
  const written = { out: "", err: "" };
  const out = (chunk: string) => {
    written.out += chunk;
  };
  const err = (chunk: string) => {
    written.err += chunk;
  };
  print(createOutput(format, { out, err }));
  return written;
}

describe("output for people", () => {
  it("aligns the columns of a list, with a dash for what is not known", ({ expect }) => {
    const { out } = printed("table", (output) => output.list([BATH, CUP], COLUMNS, "No vessels."));
    expect(out).toBe("NAME  LITRES\nbath  140\ncup   -\n");
  });

  it("says in words that a list is empty", ({ expect }) => {
    expect(printed("table", (output) => output.list([], COLUMNS, "No vessels.")).out).toBe("No vessels.\n");
  });

  it("takes out what would steer the terminal", ({ expect }) => {
    const evil = { name: "a\u001b[2Jb\nc", litres: 1 };
    expect(printed("table", (output) => output.item(evil, COLUMNS)).out).toBe("NAME    a [2Jb c\nLITRES  1\n");
  });
});

describe("output for programs", () => {
  it("is the rows as they are", ({ expect }) => {
    const { out } = printed("json", (output) => output.list([BATH, CUP], COLUMNS, "No vessels."));
    expect(JSON.parse(out)).toEqual([BATH, CUP]);
  });

  it("is an empty array for an empty list", ({ expect }) => {
    expect(JSON.parse(printed("json", (output) => output.list([], COLUMNS, "No vessels.")).out)).toEqual([]);
  });

  it("keeps hints for people away from standard output", ({ expect }) => {
    const { out, err } = printed("json", (output) => {
      output.note("Waiting …");
      output.event({ state: "RUNNING" }, "is running");
    });
    expect(out).toBe('{"state":"RUNNING"}\n');
    expect(err).toBe("Waiting …\n");
  });
});
