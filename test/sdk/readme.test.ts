/** The first program that a newcomer reads is one that runs. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "vitest";

const ROOT = new URL("../../", import.meta.url);

describe("the README", () => {
  it("shows a flow that runs as it stands", async ({ expect }) => {
    const readme = readFileSync(new URL("README.md", ROOT), "utf8");
    const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    expect(program).toContain("await titles(");
    const page = "data:text/html,<title>Here</title>";
    const told = program.replace("await titles(", "console.log(await titles(").replace(/\);\s*$/, "));");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module-typescript", "--eval", told.replace("https://example.com", page)],
      { cwd: fileURLToPath(ROOT), env: { ...process.env, SLUICE_API_URL: "" } },
    );
    expect(stdout).toContain("[ 'Here' ]");
  });
});
