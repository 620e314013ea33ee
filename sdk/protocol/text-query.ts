/** The language of text searches in events, as Prefect 3 has it: words, `-word` or `!word`, `+word`, `"some words"`. */

/** What a text must hold; all in lower case. */
export interface TextQuery {
  /** At least one of these, if there are any. */
  readonly anyOf: readonly string[];
  readonly noneOf: readonly string[];
  readonly allOf: readonly string[];
}

/** A sign that stands right before its term, then a phrase (whose closing quote may be missing) or a word. */
const TERM = /([-!+]?)(?:"((?:\\.|[^"\\])*)(?:"|\\?$)|([^\s"]+))/gsu;

/**
 * Reads a search. Nothing is an error: a quote that is not closed ends with the text, and a sign alone says nothing.
 */
export function parseTextQuery(query: string): TextQuery {
  const terms = { anyOf: [] as string[], noneOf: [] as string[], allOf: [] as string[] };
  for (const [, sign = "", phrase, word] of query.toLowerCase().matchAll(TERM)) {
    const term = phrase === undefined ? (word ?? "") : phrase.replaceAll(/\\(["\\])/g, "$1");
    // A sign alone, as in "a - b", says nothing.
    if (term.trim() === "" || (sign === "" && /^[-!+]$/.test(term))) continue;
    if (sign === "") terms.anyOf.push(term);
    else terms[sign === "+" ? "allOf" : "noneOf"].push(term);
  }
  return terms;
}
