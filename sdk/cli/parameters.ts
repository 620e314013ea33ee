/** What a command takes: each argument and option is a value that knows how its text is read. */

/** One argument or option whose parsed form is `T`. */
export interface Parameter<T> {
  /** "flag" is a switch without a value; "many" may be given several times. */
  readonly kind: "flag" | "one" | "many";
  readonly description: string;
  /** Stands for the value in help: `--pool <name>`. */
  readonly placeholder: string;
  /** A single letter, without its dash. */
  readonly short?: string;
  /** An environment variable that is read when the option is not given. */
  readonly env?: string;
  readonly required: boolean;
  /** What holds when nothing is given; shown in help. */
  readonly fallback?: T;
  /** Reads one text. Throws an Error whose message ends the sentence `"x" is …`. */
  parse(text: string): unknown;
}

/** The parsed values of a set of parameters. */
export type Values<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };
/** By key, in camel case: the parser answers values under such keys alone. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

interface About {
  readonly placeholder?: string;
  readonly short?: string;
  readonly env?: string;
}

/** Any text. */
export function text(description: string, about: About = {}): Parameter<string | undefined> {
  return parsed(description, (given) => given, { placeholder: "text", ...about });
}

/** A whole number from `min` to `max`, both included. */
export function integer(
  description: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, ...about }: About & { min?: number; max?: number } = {},
): Parameter<number | undefined> {
  const read = (given: string): number => {
    const value = Number(given);
    if (/^-?\d+$/.test(given) && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new Error(`not a whole number ${bounds}`);
  };
  return parsed(description, read, { placeholder: "n", ...about });
}

/** One of a list of words. */
export function choice<const C extends string>(
  description: string,
  choices: readonly C[],
  about: About = {},
): Parameter<C | undefined> {
  const read = (given: string): C => {
    const found = choices.find((choice) => choice === given);
    if (found === undefined) throw new Error(`not one of ${choices.join(", ")}`);
    return found;
  };
  return parsed(description, read, { placeholder: choices.join("|"), ...about });
}

/** A JSON value. */
export function json(description: string, about: About = {}): Parameter<unknown> {
  const read = (given: string): unknown => {
    try {
      return JSON.parse(given);
    } catch (error) {
      throw new Error(`not JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error });
    }
  };
  return parsed(description, read, { placeholder: "json", ...about });
}

/** A text that `parse` understands. `parse` throws an Error whose message ends the sentence `"x" is …`. */
export function parsed<T>(
  description: string,
  parse: (given: string) => T,
  about: About & { placeholder: string },
): Parameter<T | undefined> {
  return { kind: "one", description, required: false, parse, ...about };
}

/** The id of what `command` lists. */
export function uuid(description: string, command: string): Parameter<string | undefined> {
  const read = (given: string): string => {
    if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(given)) return given;
    throw new Error(`not an id (a UUID, as \`${command}\` prints it)`);
  };
  return parsed(description, read, { placeholder: "id" });
}

/** A switch that is off unless given. */
export function flag(description: string, about: { short?: string } = {}): Parameter<boolean> {
  return { kind: "flag", description, placeholder: "", required: false, fallback: false, parse: () => true, ...about };
}

/** The same parameter, which must be given. */
export function required<T>(parameter: Parameter<T>): Parameter<Exclude<T, undefined>> {
  const { fallback: _, ...rest } = parameter;
  return { ...rest, required: true };
}

/** The same parameter, with what holds when it is not given. */
export function withDefault<T>(
  parameter: Parameter<T>,
  fallback: Exclude<T, undefined>,
): Parameter<Exclude<T, undefined>> {
  const { fallback: _, ...rest } = parameter;
  return { ...rest, required: false, fallback };
}

/** The same parameter, given any number of times: `--tag a --tag b`. Only the last argument of a command may be this. */
export function repeated<T>(parameter: Parameter<T>): Parameter<Exclude<T, undefined>[]> {
  const { fallback: _, ...rest } = parameter;
  return { ...rest, kind: "many", fallback: [] };
}

/** How a key is written on the command line: `catchUp` as `catch-up`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
