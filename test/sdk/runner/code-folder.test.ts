/** The folder that a run works in. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import type { RunTicket } from "../../../sdk/protocol/worker-channel.ts";
import { codeFolder } from "../../../sdk/runner/code-folder.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "sluice-code-")));
  for (const name of ["job", "deployment"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const client = createClient({ url: "http://127.0.0.1:1/api" });
const open = (ticket: Partial<RunTicket>, workingDirectory: string | null = null, lines: string[] = []) =>
  codeFolder({ pull_steps: null, path: null, ...ticket } as RunTicket, {
    client,
    workingDirectory,
    env: {},
    signal: new AbortController().signal,
    onLine: (line) => lines.push(line),
  });
const script = (text: string) => [{ run_shell_script: { script: text } }];

describe("the folder of a run", () => {
  it("is the job's, or else the deployment's, and stays", async ({ expect }) => {
    const [job, path] = [join(folder, "job"), join(folder, "deployment")];
    for (const [given, wanted] of [
      [job, job],
      [null, path],
    ]) {
      const found = await open({ path }, given);
      expect(found.path).toBe(wanted);
      await found[Symbol.asyncDispose]();
      expect(existsSync(found.path)).toBe(true);
    }
  });

  it("is that place, too, where no step brings code", async ({ expect }) => {
    const steps = [{ set_working_directory: { directory: "deployment" } }];
    expect((await open({ path: folder, pull_steps: steps })).path).toBe(join(folder, "deployment"));
  });

  it("with code that steps bring is one of its own, and gone afterwards", async ({ expect }) => {
    const pull_steps = script("mkdir src");
    for (const [path, wanted] of [
      ["src", /src$/],
      [folder, /sluice-run-\w+$/],
      [null, /sluice-run-\w+$/],
    ] as const) {
      const found = await open({ path, pull_steps });
      expect(found.path).toMatch(wanted);
      expect(existsSync(found.path)).toBe(true);
      await found[Symbol.asyncDispose]();
      expect(existsSync(found.path)).toBe(false);
    }
  });

  it("is gone when a step failed, or brought no such folder", async ({ expect }) => {
    const lines: string[] = [];
    await expect(open({ pull_steps: script("pwd; false") }, null, lines)).rejects.toThrow("ended with code 1");
    await expect(open({ pull_steps: script("pwd"), path: "none" }, null, lines)).rejects.toThrow("is not a folder");
    expect(lines.map((line) => existsSync(line))).toEqual([false, false]);
  });
});
