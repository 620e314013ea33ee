/**
 * Splits a line by its ANSI escapes: colours become class names of the sixteen that are legible in light and dark,
 * whatever else a terminal would obey is left out.
 */
import { colourOf256, colourOfRgb } from "./ansi-colours.ts";

export interface Piece {
  readonly text: string;
  /** E.g. "ansi-31 ansi-bold"; empty for plain text. */
  readonly classes: string;
}

interface Style {
  /** "ansi-31", or empty. */
  colour: string;
  isBold: boolean;
  isDim: boolean;
  isItalic: boolean;
  isUnderlined: boolean;
}

const PLAIN: Style = { colour: "", isBold: false, isDim: false, isItalic: false, isUnderlined: false };

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what is looked for.
const ESCAPE = /\u001b(?:\[([0-9;:]*)([A-Za-z])|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

export function ansiPieces(text: string): readonly Piece[] {
  if (!text.includes("\u001b")) return [{ text, classes: "" }];
  const pieces: Piece[] = [];
  const style = { ...PLAIN };
  let from = 0;
  const push = (until: number): void => {
    if (until > from) pieces.push({ text: text.slice(from, until), classes: classesOf(style) });
  };
  for (const match of text.matchAll(ESCAPE)) {
    push(match.index);
    from = match.index + match[0].length;
    if (match[2] === "m") obey(style, match[1] ?? "");
  }
  push(text.length);
  return pieces;
}

function classesOf({ colour, isBold, isDim, isItalic, isUnderlined }: Style): string {
  const classes = [
    colour,
    isBold && "ansi-bold",
    isDim && "ansi-dim",
    isItalic && "ansi-italic",
    isUnderlined && "ansi-underline",
  ];
  return classes.filter(Boolean).join(" ");
}

/** The codes of one escape, "38;5;208" or with its arguments behind colons, "38:2::255:128:0". */
function obey(style: Style, codes: string): void {
  const groups = codes.split(";").map((group) => group.split(":").map(Number));
  while (groups.length > 0) {
    const [code = 0, ...own] = groups.shift() ?? [];
    if (code !== 38 && code !== 48 && code !== 58) {
      apply(style, code, own[0]);
      continue;
    }
    // Colours of the ground and of underlines are passed over: on them the text might not be legible.
    const colour = extendedColour(own.length > 0 ? own : takeArguments(groups));
    if (code === 38 && colour !== null) style.colour = colour;
  }
}

/** The arguments of 38, 48 or 58 that follow as codes of their own: none of them is a code. */
function takeArguments(groups: number[][]): readonly number[] {
  const kind = groups[0]?.[0];
  return groups.splice(0, kind === 5 ? 2 : kind === 2 ? 4 : 1).map(([value = 0]) => value);
}

/** "5, number" or "2, red, green, blue", the latter with or without a colour space before. Null for what is neither. */
function extendedColour([kind, ...values]: readonly number[]): string | null {
  if (kind === 5 && values[0] !== undefined) return colourOf256(values[0]);
  if (kind !== 2 || values.length < 3) return null;
  const [red = 0, green = 0, blue = 0] = values.length > 3 ? values.slice(1) : values;
  return colourOfRgb(red, green, blue);
}

/** `argument` stood behind a colon: 4:0 is no underline, 4:3 a wavy one. */
function apply(style: Style, code: number, argument: number | undefined): void {
  if (code === 0) Object.assign(style, PLAIN);
  else if (code === 1) style.isBold = true;
  else if (code === 2) style.isDim = true;
  else if (code === 3) style.isItalic = true;
  else if (code === 4) style.isUnderlined = argument !== 0;
  else if (code === 21) style.isUnderlined = true;
  else if (code === 22) Object.assign(style, { isBold: false, isDim: false });
  else if (code === 23) style.isItalic = false;
  else if (code === 24) style.isUnderlined = false;
  else if (code === 39) style.colour = "";
  else if (code >= 30 && code <= 37) style.colour = `ansi-${code}`;
  else if (code >= 90 && code <= 97) style.colour = `ansi-${code - 60}`;
}
