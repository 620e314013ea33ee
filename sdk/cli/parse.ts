/** Reads the words after `sluice <noun> <verb>`, with commander, into the values that the command declared. */
import { Argument, CommanderError, InvalidArgumentError, Option, Command as Parser } from "commander";
import { type Command, nameOf } from "./command.ts";
import { CliError } from "./errors.ts";
import type { OutputFormat } from "./output.ts";
import { kebab, type Parameter, type Parameters, type Values } from "./parameters.ts";

export type Parsed =
  | { readonly kind: "help"; readonly text: string }
  | {
      readonly kind: "values";
      readonly arguments: Values<Parameters>;
      readonly options: Values<Parameters>;
      readonly after: readonly string[];
      readonly format: OutputFormat;
    };

export function parse(command: Command, words: readonly string[]): Parsed {
  const name = nameOf(command);
  const written: string[] = [];
  const parser = parserOf(command, name, written);
  const dashes = command.after === undefined ? -1 : words.indexOf("--");
  const own = dashes === -1 ? words : words.slice(0, dashes);
  try {
    parser.parse([...own], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.help")
      return { kind: "help", text: written.join("") };
    throw new CliError(sentence(error.message), { fix: `See: ${name} --help`, cause: error });
  }
  const { output, ...options } = parser.opts<{ output: OutputFormat }>();
  return {
    kind: "values",
    arguments: Object.fromEntries(Object.keys(command.arguments).map((key, at) => [key, parser.processedArgs[at]])),
    options,
    after: dashes === -1 ? [] : words.slice(dashes + 1),
    format: output,
  };
}

function parserOf(command: Command, name: string, written: string[]): Parser {
  const parser = new Parser(name)
    .description(command.summary)
    .helpOption("-h, --help", "Show this.")
    .exitOverride()
    .configureOutput({ writeOut: (text) => written.push(text), writeErr: () => {} });
  for (const [key, parameter] of Object.entries(command.arguments)) {
    const dots = parameter.kind === "many" ? "..." : "";
    const argument = new Argument(
      parameter.required ? `<${kebab(key)}${dots}>` : `[${kebab(key)}${dots}]`,
      parameter.description,
    );
    if (parameter.fallback !== undefined) argument.default(parameter.fallback);
    parser.addArgument(argument.argParser(reader(parameter)));
  }
  if (command.after !== undefined) parser.usage(`${parser.usage()} -- <${command.after}>`);
  for (const [key, parameter] of Object.entries(command.options)) parser.addOption(optionOf(key, parameter));
  parser.addOption(
    new Option("-o, --output <format>", "What to print: text for people, or JSON for programs.")
      .choices(["json", "table"])
      .default("table"),
  );
  const examples = (command.examples ?? []).map((line) => `  ${line}\n`).join("");
  if (examples !== "") parser.addHelpText("after", `\nExamples:\n${examples}`);
  return parser;
}

function optionOf(key: string, parameter: Parameter<unknown>): Option {
  const short = parameter.short === undefined ? "" : `-${parameter.short}, `;
  const value = parameter.kind === "flag" ? "" : ` <${parameter.placeholder}>`;
  const description = parameter.required ? `${parameter.description} Required.` : parameter.description;
  const option = new Option(`${short}--${kebab(key)}${value}`, description);
  if (parameter.required) option.makeOptionMandatory();
  // An empty list is what commander gives by itself when help should not show "default: []".
  if (parameter.kind === "many") option.default(parameter.fallback, "none");
  else if (parameter.fallback !== undefined && parameter.kind === "one") option.default(parameter.fallback);
  else if (parameter.kind === "flag") option.default(false, "off");
  if (parameter.env !== undefined) option.env(parameter.env);
  return parameter.kind === "flag" ? option : option.argParser(reader(parameter));
}

/** What commander calls for every text; a list starts afresh when its first text comes. */
function reader(parameter: Parameter<unknown>): (given: string, before: unknown) => unknown {
  return (given, before) => {
    let value: unknown;
    try {
      value = parameter.parse(given);
    } catch (error) {
      throw new InvalidArgumentError(`It is ${error instanceof Error ? error.message : String(error)}.`);
    }
    if (parameter.kind !== "many") return value;
    return Array.isArray(before) && before !== parameter.fallback ? [...before, value] : [value];
  };
}

/** "error: option '--port <n>' argument 'x' is invalid. It is not …" as a sentence of its own. */
function sentence(message: string): string {
  const bare = message.replace(/^error: /, "").replaceAll("\n", " ");
  const capital = bare.charAt(0).toUpperCase() + bare.slice(1);
  return /[.)?]$/.test(capital) ? capital : `${capital}.`;
}
