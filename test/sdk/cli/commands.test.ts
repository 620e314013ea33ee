import { describe, it } from "vitest";
import { COMMANDS } from "../../../sdk/cli/commands/index.ts";
import { EXIT } from "../../../sdk/cli/exit-codes.ts";
import { runCli } from "../../../sdk/cli/run-cli.ts";
import { CLI, sluice } from "../../support/sluice.ts";

describe("the registry", () => {
  it.for(COMMANDS.map((entry) => [[entry.noun, entry.verb].filter(Boolean).join(" "), entry] as const))(
    "tells of `%s` what its module tells",
    async ([, { noun, verb, summary, load }], { expect }) => {
      const command = await load();
      expect({ noun: command.noun, verb: command.verb, summary: command.summary }).toEqual({ noun, verb, summary });
    },
  );

  it.for(COMMANDS.map((entry) => [entry.noun, entry.verb].filter(Boolean).join(" ")))(
    "shows the help of `%s`",
    async (name, { expect }) => {
      let out = "";
      const streams = {
        out: (chunk: string) => {
          out += chunk;
        },
        err: () => {},
      };
      expect(await runCli({ words: [...name.split(" "), "--help"], environment: {}, streams })).toBe(EXIT.ok);
      expect(out).toContain(`Usage: sluice ${name}`);
    },
  );

  it("writes the keys of arguments and options in camel case, under which the parser answers them", async ({
    expect,
  }) => {
    for (const { load } of COMMANDS) {
      const command = await load();
      const keys = [...Object.keys(command.arguments), ...Object.keys(command.options)];
      expect(keys.filter((key) => !/^[a-z][a-zA-Z]*$/.test(key))).toEqual([]);
    }
  });

  it("names each command once", ({ expect }) => {
    const names = COMMANDS.map(({ noun, verb }) => `${noun} ${verb}`);
    expect(names).toEqual([...new Set(names)]);
  });
});

describe("the program", () => {
  it("says which file is not there, and takes no blame for it", async ({ expect }) => {
    const { exitCode, stderr } = await sluice(["task", "serve", "nowhere.ts"]);
    expect(exitCode).toBe(EXIT.failed);
    expect(stderr).toMatch(/^error: There is no file .*nowhere\.ts on this machine\./);
    expect(stderr).toContain("→ Correct the path");
  });

  it.for([
    ["--git", "file:///nowhere", "The code cannot be fetched: git ended with code 128"],
    ["--git", "https://me:token@git.example/flows", "contains a password"],
    ["--overlap", "SKIP", "--overlap says something about a schedule that is not there."],
    ["--timezone", "Europe/London", "--timezone says something about a schedule that is not there."],
  ] as const)("takes no blame for a deployment with %s %s", async ([option, value, said], { expect }) => {
    const env = { SLUICE_API_URL: "http://127.0.0.1:1/api" };
    const words = ["deploy", "examples/hello.ts:hello", "--name", "x", "--pool", "y", option, value];
    const { exitCode, stderr } = await sluice(words, { env });
    expect([EXIT.usage, EXIT.failed]).toContain(exitCode);
    expect(stderr).toMatch(/^error: .*\n {2}→ .*\n$/);
    expect(stderr).toContain(said);
  });

  it.for([
    ["--param", "amount=much", /"amount" is "much": /],
    ["--param", "amount=-3", /"amount" is -3: /],
  ] as const)("holds what is given with %s %s against the flow's schema", async ([option, value, said], { expect }) => {
    const env = { SLUICE_API_URL: "http://127.0.0.1:1/api" };
    const words = ["deploy", "examples/approval.ts:approval", "--name", "x", "--pool", "y", option, value];
    const { exitCode, stderr } = await sluice(words, { env });
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(said);
    expect(stderr).toContain("→ Give --param values");
  });

  it("prints its version with no server around", async ({ expect }) => {
    const env = { SLUICE_API_URL: "http://127.0.0.1:1/api" };
    const { exitCode, stdout, stderr } = await sluice(["version", "--output", "json"], { env });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ server: null, api_url: "http://127.0.0.1:1/api" });
  });

  it("ends with 2 and a hint when a command is misspelt", async ({ expect }) => {
    const { exitCode, stderr } = await sluice(["servr", "start"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Did you mean: sluice server");
  });

  it.for(["a month", "-1"])("does not start a server that keeps runs for %j days", async (days, { expect }) => {
    const { exitCode, stderr } = await sluice(["server", "start"], { env: { SLUICE_RUN_RETENTION_DAYS: days } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`SLUICE_RUN_RETENTION_DAYS is "${days}"`);
  });

  it("is a file that a shell can run", async ({ expect }) => {
    const { accessSync, constants } = await import("node:fs");
    expect(() => accessSync(CLI, constants.X_OK)).not.toThrow();
  });
});
