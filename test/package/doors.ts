/** The doors of the package and what each one exports, read from the sources. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One exported name, and where it is declared. */
export interface ExportedSymbol {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** The comment right before the declaration; null without one. */
  readonly doc: string | null;
  /** Members without a comment, of an interface whose members a user writes: one named …Options or …Settings. */
  readonly bareMembers: readonly string[];
}

/** Source of each door, by its name. */
export function doors(): ReadonlyMap<string, string> {
  const { exports }: { exports: Record<string, string> } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  return new Map(Object.entries(exports).filter(([door]) => !door.includes("*")));
}

/** What a source exports, of itself or of others, in the order of its names. */
export function exportsOf(file: string): ExportedSymbol[] {
  const path = `${ROOT}${file}`;
  const text = readFileSync(path, "utf8");
  const found = declarationsIn(file, text);
  for (const [, names, from = ""] of text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from "(\.[^"]+)";$/gm)) {
    const target = fileURLToPath(new URL(from, `file:///${file}`)).slice(1);
    const there = exportsOf(target);
    if (names === "*") found.push(...there);
    for (const [, name = "", as = name] of (names ?? "").matchAll(/(?:type )?(\w+)(?: as (\w+))?[,\s}]/g)) {
      const one = there.find((symbol) => symbol.name === name);
      if (one === undefined) throw new Error(`${file} exports "${name}", which ${target} does not.`);
      found.push({ ...one, name: as });
    }
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

const DECLARATION = /^export (?:declare )?(?:abstract )?(?:async )?(function\*?|class|const|interface|type) (\w+)/;

function declarationsIn(file: string, text: string): ExportedSymbol[] {
  const lines = text.split("\n");
  const found = new Map<string, ExportedSymbol>();
  for (const [index, line] of lines.entries()) {
    const [, kind, name = ""] = line.match(DECLARATION) ?? [];
    if (kind === undefined) continue;
    const doc = docBefore(lines, index);
    const earlier = found.get(name);
    // Overloads, and a schema with the type of its name, are explained once.
    found.set(name, {
      name,
      file,
      line: earlier?.line ?? index + 1,
      doc: earlier?.doc ?? doc,
      bareMembers: [
        ...(earlier?.bareMembers ?? []),
        ...(kind === "interface" && /(?:Options|Settings)$/.test(name) ? bareMembersAfter(lines, index) : []),
      ],
    });
  }
  return [...found.values()];
}

function docBefore(lines: readonly string[], index: number): string | null {
  if (!lines[index - 1]?.trimEnd().endsWith("*/")) return null;
  const start = lines.findLastIndex((line, at) => at < index && line.trimStart().startsWith("/**"));
  return start === -1 ? null : lines.slice(start, index).join("\n");
}

function bareMembersAfter(lines: readonly string[], index: number): string[] {
  const end = lines.findIndex((line, at) => at > index && line.startsWith("}"));
  return lines.slice(index + 1, end).flatMap((line, at) => {
    const [, member] = line.match(/^ {2}(?:readonly )?(\w+)\??[:(]/) ?? [];
    return member !== undefined && docBefore(lines, index + 1 + at) === null ? [member] : [];
  });
}
