/**
 * Cuts a command into its words as a shell would, and does nothing else that a shell does. Throws `RangeError` when a
 * quote is not closed.
 */
export function commandWords(command: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let index = 0; index < command.length; index++) {
    const letter = command.charAt(index);
    if (quote === null && /\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === null && (letter === "'" || letter === '"')) {
      quote = letter;
      word ??= "";
    } else if (letter === quote) quote = null;
    else if (letter === "\\" && quote !== "'" && index + 1 < command.length)
      word = (word ?? "") + command.charAt(++index);
    else word = (word ?? "") + letter;
  }
  if (quote !== null) throw new RangeError(`The command ${JSON.stringify(command)} has a quote that is not closed.`);
  if (word !== null) words.push(word);
  return words;
}
