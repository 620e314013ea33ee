/** The package's doors: what they export, and that everything they export is explained. */
import { readdirSync } from "node:fs";
import { describe, it } from "vitest";
import { doors, exportsOf } from "../package/doors.ts";

describe("each door of the package", () => {
  it("is one of those that the documents name", ({ expect }) => {
    expect([...doors().keys()]).toEqual([".", "./blocks", "./client", "./http", "./protocol", "./testing", "./worker"]);
  });

  for (const [door, file] of doors()) {
    it(`${door} exports nothing without a docstring, and no option that is not explained`, ({ expect }) => {
      const all = exportsOf(file.replace("./", ""));
      expect(all.length).toBeGreaterThan(2);
      expect(all.filter(({ doc }) => doc === null).map(({ name, file, line }) => `${name} (${file}:${line})`)).toEqual(
        [],
      );
      expect(all.flatMap(({ name, bareMembers }) => bareMembers.map((member) => `${name}.${member}`))).toEqual([]);
    });
  }

  it("./protocol exports each part of the contract", ({ expect }) => {
    const parts = readdirSync(new URL("../../sdk/protocol", import.meta.url)).filter((file) => file.endsWith(".ts"));
    const exported = new Set(exportsOf("sdk/protocol/index.ts").map(({ file }) => file));
    const silent = parts.filter((file) => file !== "index.ts" && exportsOf(`sdk/protocol/${file}`).length > 0);
    expect([...exported].sort()).toEqual(silent.map((file) => `sdk/protocol/${file}`).sort());
  });
});
