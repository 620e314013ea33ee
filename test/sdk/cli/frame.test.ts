import { describe, it } from "vitest";
import { type Command, defineCommand } from "../../../sdk/cli/command.ts";
import type { CommandEntry } from "../../../sdk/cli/commands/index.ts";
import { CliError } from "../../../sdk/cli/errors.ts";
import { EXIT } from "../../../sdk/cli/exit-codes.ts";
import { choice, flag, integer, json, repeated, required, text, withDefault } from "../../../sdk/cli/parameters.ts";
import { runCli } from "../../../sdk/cli/run-cli.ts";
import { SluiceError } from "../../../sdk/protocol/errors.ts";

const pour = defineCommand({
  noun: "water",
  verb: "pour",
  summary: "Pour water.",
  arguments: { vessel: required(text("Where to.")), more: repeated(text("Further vessels.")) },
  options: {
    litres: withDefault(integer("How much.", { min: 1, max: 9, short: "l" }), 2),
    speed: choice("How fast.", ["slow", "fast"]),
    recipe: json("What to add."),
    dryRun: flag("Only say what would happen."),
    tag: repeated(text("A note.", { env: "WATER_TAG" })),
  },
  examples: ["sluice water pour bucket"],
  async run({ arguments: given, options, output }) {
    output.item({ ...given, ...options }, [
      { title: "vessel", value: (row) => row.vessel },
      { title: "litres", value: (row) => row.litres },
    ]);
    return undefined;
  },
});

const drain = defineCommand({
  noun: "water",
  verb: "drain",
  summary: "Let water out.",
  arguments: {},
  options: { name: required(text("Of what.")) },
  async run({ options }) {
    throw new SluiceError("not_found", `Vessel ${options.name} was not found.`, {
      fix: "See: sluice water ls",
      issues: [{ loc: ["name"], msg: "no such vessel", type: "missing" }],
    });
  },
});

/** The CLI with `commands`, typed into. */
function cli({ commands = [pour, drain] as readonly Command[], environment = {} as NodeJS.ProcessEnv } = {}) {
  const loaded: string[] = [];
  const written = { out: "", err: "" };
  const entries: CommandEntry[] = commands.map((command) => ({
    noun: command.noun,
    verb: command.verb,
    summary: command.summary,
    load: async () => {
      loaded.push(command.verb ?? command.noun);
      return command;
    },
  }));
  const type = async (line: string) => {
    const exitCode = await runCli({
      words: line.split(" ").filter((word) => word !== ""),
      environment,
      streams: {
        out: (chunk) => {
          written.out += chunk;
        },
        err: (chunk) => {
          written.err += chunk;
        },
      },
      commands: entries,
    });
    return { exitCode, ...written, loaded };
  };
  return { type };
}

describe("a command line", () => {
  it("gives the command its parsed arguments and options", async ({ expect }) => {
    const line =
      'water pour bucket cup mug -l 3 --speed fast --recipe {"a":[1]} --dry-run --tag x --tag y --output json';
    const { exitCode, out, err } = await cli().type(line);
    expect(err).toBe("");
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(out)).toEqual({
      vessel: "bucket",
      more: ["cup", "mug"],
      litres: 3,
      speed: "fast",
      recipe: { a: [1] },
      dryRun: true,
      tag: ["x", "y"],
    });
  });

  it("gives defaults for what is left out", async ({ expect }) => {
    const { out } = await cli().type("water pour bucket --output json");
    expect(JSON.parse(out)).toEqual({ vessel: "bucket", more: [], litres: 2, dryRun: false, tag: [] });
  });

  it("prints text for people unless JSON is asked for", async ({ expect }) => {
    const { out } = await cli().type("water pour bucket");
    expect(out).toBe("vessel  bucket\nlitres  2\n");
  });

  it("takes --output in front of the noun too", async ({ expect }) => {
    const { out } = await cli().type("--output json water pour bucket");
    expect(JSON.parse(out)).toMatchObject({ vessel: "bucket" });
  });

  it.for([
    ["wter pour", 'There is no command "wter".', "Did you mean: sluice water"],
    ["water pur", 'There is no water command "pur".', "Did you mean: sluice water pour"],
    ["water xyzzy", 'There is no water command "xyzzy".', "There is: sluice water pour, sluice water drain."],
    ["water pour", "Missing required argument 'vessel'.", "See: sluice water pour --help"],
    ["water drain", "Required option '--name <text>' not specified.", "See: sluice water drain --help"],
    ["water pour a --litre 3", "Unknown option '--litre' (Did you mean --litres?)", "See: sluice water pour --help"],
    [
      "water pour a -l 10",
      "Option '-l, --litres <n>' argument '10' is invalid. It is not a whole number from 1 to 9.",
      "See: ",
    ],
    ["water pour a -l 1.5", "It is not a whole number from 1 to 9.", "See: "],
    ["water pour a --speed medium", "It is not one of slow, fast.", "See: "],
    ["water pour a --recipe {", "It is not JSON (", "See: "],
    ["water pour a -o yaml", "Allowed choices are json, table.", "See: "],
  ] as const)(
    "refuses `%s` with what is wrong, the value, and what to type next",
    async ([line, what, next], { expect }) => {
      const { exitCode, out, err } = await cli().type(line);
      expect(exitCode).toBe(EXIT.usage);
      expect(out).toBe("");
      expect(err).toMatch(/^error: /);
      expect(err).toContain(what);
      expect(err).toContain(`  → ${next}`);
    },
  );

  it("prints an error as JSON on standard error when JSON is asked for", async ({ expect }) => {
    const { exitCode, out, err } = await cli().type("water drain --name bath --output json");
    expect(exitCode).toBe(EXIT.notFound);
    expect(out).toBe("");
    expect(JSON.parse(err)).toEqual({
      error: {
        code: "not_found",
        message: "Vessel bath was not found.",
        fix: "See: sluice water ls",
        issues: ["name: no such vessel"],
      },
    });
  });

  it("tells what is wrong with a field once", async ({ expect }) => {
    const issues = [
      { loc: ["body", "depth"], msg: "must be a number", type: "type" },
      { loc: ["body", "width"], msg: "is missing", type: "missing" },
    ];
    const failing = defineCommand({
      ...pour,
      run: async () => {
        throw new SluiceError("validation", "Invalid request.", { fix: "Field body.depth: must be a number.", issues });
      },
    });
    const { err } = await cli({ commands: [failing] }).type("water pour a");
    expect(err).toBe("error: Invalid request.\n  body.width: is missing\n  → Field body.depth: must be a number.\n");
  });

  it("says that an error without advice is a fault of the program", async ({ expect }) => {
    const broken = defineCommand({
      ...pour,
      run: async () => {
        throw new TypeError("x is not a function");
      },
    });
    const { exitCode, err } = await cli({ commands: [broken] }).type("water pour a");
    expect(exitCode).toBe(EXIT.failed);
    expect(err).toContain("x is not a function");
    expect(err).toContain("This is a fault of Sluice.");
  });

  it("ends with the exit code that the command answers", async ({ expect }) => {
    const stopped = defineCommand({ ...pour, run: async () => EXIT.interrupted });
    expect((await cli({ commands: [stopped] }).type("water pour a")).exitCode).toBe(130);
  });

  it("ends with the exit code of a CliError", async ({ expect }) => {
    const failing = defineCommand({
      ...pour,
      run: async () => {
        throw new CliError("The run failed.", { fix: "See its logs.", exitCode: EXIT.failed });
      },
    });
    expect((await cli({ commands: [failing] }).type("water pour a")).exitCode).toBe(EXIT.failed);
  });
});

describe("loading", () => {
  it.for(["", "--help", "help", "water", "water --help", "nonsense", "water nonsense"])(
    "loads no command for `%s`",
    async (line, { expect }) => {
      expect((await cli().type(line)).loaded).toEqual([]);
    },
  );

  it.for(["water pour a", "water pour --help", "help water pour"])(
    "loads only the command that `%s` names",
    async (line, { expect }) => {
      expect((await cli().type(line)).loaded).toEqual(["pour"]);
    },
  );
});

describe("help", () => {
  it("lists every command on standard output when it is asked for", async ({ expect }) => {
    const { exitCode, out, err } = await cli().type("--help");
    expect(exitCode).toBe(EXIT.ok);
    expect(err).toBe("");
    expect(out).toContain("sluice water pour   Pour water.\n  sluice water drain  Let water out.");
  });

  it("goes to standard error, with a failure, when a word is missing", async ({ expect }) => {
    const { exitCode, out, err } = await cli().type("water");
    expect(exitCode).toBe(EXIT.usage);
    expect(out).toBe("");
    expect(err).toContain("sluice water drain  Let water out.");
  });

  it("of a command shows its parameters, defaults, variables and examples", async ({ expect }) => {
    const { exitCode, out } = await cli().type("water pour --help");
    expect(exitCode).toBe(EXIT.ok);
    for (const part of [
      "[options] <vessel> [more...]",
      "-l, --litres <n>",
      "(default: 2)",
      "env: WATER_TAG",
      "sluice water pour bucket",
    ]) {
      expect(out).toContain(part);
    }
  });
});

describe("the address of the API", () => {
  const show = defineCommand({
    ...pour,
    run: async ({ connection, output }) => {
      output.item(connection, []);
      return undefined;
    },
  });
  it.for([
    [{}, { apiUrl: "http://127.0.0.1:4200/api" }],
    [
      { SLUICE_API_URL: "https://x.test/api/", SLUICE_API_KEY: "k" },
      { apiUrl: "https://x.test/api", apiKey: "k" },
    ],
    [{ SLUICE_API_URL: "", SLUICE_API_KEY: "" }, { apiUrl: "http://127.0.0.1:4200/api" }],
  ] as const)("is read from %j", async ([environment, connection], { expect }) => {
    const { out } = await cli({ commands: [show], environment }).type("water pour a -o json");
    expect(JSON.parse(out)).toEqual(connection);
  });

  it("is refused when it is none, with the value and an example", async ({ expect }) => {
    const { exitCode, err } = await cli({ commands: [show], environment: { SLUICE_API_URL: "localhost" } }).type(
      "water pour a",
    );
    expect(exitCode).toBe(EXIT.usage);
    expect(err).toContain('SLUICE_API_URL is "localhost"');
    expect(err).toContain("SLUICE_API_URL=http://127.0.0.1:4200/api");
  });
});
