/** Splits a line by its ANSI escapes: colours become class names, whatever else a terminal would obey is left out. */
export interface Piece {
  readonly text: string;
  /** E.g. "ansi-31 ansi-bold"; empty for plain text. */
  readonly classes: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what is looked for.
const ESCAPE = /\u001b(?:\[([0-9;]*)([A-Za-z])|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

export function ansiPieces(text: string): readonly Piece[] {
  if (!text.includes("\u001b")) return [{ text, classes: "" }];
  const pieces: Piece[] = [];
  const style = { colour: "", bold: false };
  let from = 0;
  const push = (until: number): void => {
    const classes = [style.colour, style.bold ? "ansi-bold" : ""].filter(Boolean).join(" ");
    if (until > from) pieces.push({ text: text.slice(from, until), classes });
  };
  for (const match of text.matchAll(ESCAPE)) {
    push(match.index);
    from = match.index + match[0].length;
    if (match[2] === "m") for (const code of (match[1] ?? "").split(";")) apply(style, Number(code));
  }
  push(text.length);
  return pieces;
}

function apply(style: { colour: string; bold: boolean }, code: number): void {
  if (code === 0) Object.assign(style, { colour: "", bold: false });
  else if (code === 1) style.bold = true;
  else if (code === 22) style.bold = false;
  else if (code === 39) style.colour = "";
  else if (code >= 30 && code <= 37) style.colour = `ansi-${code}`;
  else if (code >= 90 && code <= 97) style.colour = `ansi-${code - 60}`;
}
