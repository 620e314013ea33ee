import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { isFlow } from "../../../sdk/flow/flow.ts";
import { EntrypointError, loadEntrypoint, parseEntrypoint } from "../../../sdk/runner/entrypoint.ts";

const FLOWS = dirname(fileURLToPath(new URL("../../e2e/flows/steps.ts", import.meta.url)));

describe("an entrypoint", () => {
  const good: readonly (readonly [string, string, string])[] = [
    ["flows/etl.ts:daily", "flows/etl.ts", "daily"],
    ["etl.js:default", "etl.js", "default"],
    ["/srv/app/etl.mts:daily", "/srv/app/etl.mts", "daily"],
    ["C:\\app\\etl.ts:daily", "C:\\app\\etl.ts", "daily"],
    ["odd:name.ts:daily", "odd:name.ts", "daily"],
  ];
  for (const [text, file, exportName] of good) {
    it(`"${text}" names a file and an export`, ({ expect }) => {
      expect(parseEntrypoint(text)).toEqual({ file, exportName });
    });
  }

  const bad: readonly (readonly [string | null, RegExp])[] = [
    [null, /no entrypoint.*path\/to\/file\.ts:exportName/],
    ["  ", /no entrypoint/],
    ["flows/etl.ts", /does not name an export.*for example "flows\/etl\.ts:main"/],
    ["flows/etl.ts:", /does not name an export/],
    ["C:\\app\\etl.ts", /does not name an export/],
    ["package.module.flow", /does not name an export/],
    ["flows/etl.py:daily", /Python flow.*Prefect worker/],
  ];
  for (const [text, sentence] of bad) {
    it(`${JSON.stringify(text)} is refused with what to write`, ({ expect }) => {
      expect(() => parseEntrypoint(text)).toThrow(sentence);
      expect(() => parseEntrypoint(text)).toThrow(EntrypointError);
    });
  }

  it("leads to the flow that its file exports", async ({ expect }) => {
    const flow = await loadEntrypoint("steps.ts:steps", FLOWS, isFlow);
    expect(flow.name).toBe("steps");
  });

  it("without its file is answered with the files there are", async ({ expect }) => {
    await expect(loadEntrypoint("stepz.ts:steps", FLOWS, isFlow)).rejects.toThrow(
      /no file .*stepz\.ts.*there are: .*steps\.ts/s,
    );
  });

  it("without its folder is answered with where relative paths start", async ({ expect }) => {
    await expect(loadEntrypoint("nowhere/a.ts:b", FLOWS, isFlow)).rejects.toThrow(
      /no folder .*nowhere.*Relative paths start from/s,
    );
  });

  it("without its export is answered with the exports there are", async ({ expect }) => {
    await expect(loadEntrypoint("steps.ts:step", FLOWS, isFlow)).rejects.toThrow(
      /no export "step".*It exports: .*steps/s,
    );
  });

  it("to something else than a flow is answered with what it is, and with the flows there are", async ({ expect }) => {
    await expect(loadEntrypoint("steps.ts:notAFlow", FLOWS, isFlow)).rejects.toThrow(
      /"notAFlow" of steps\.ts is a plain function, not a flow.*flows it exports: steps/s,
    );
  });

  it("to a file that throws is answered with the error", async ({ expect }) => {
    await expect(loadEntrypoint("throws-at-import.ts:any", FLOWS, isFlow)).rejects.toThrow(
      /could not be loaded: Error: the configuration is missing/,
    );
  });
});
