/** Values on the command line: JSON, or text as it stands, since nobody wants to quote quotes for a shell. */
export function jsonOrText(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    // Not JSON, so it is text.
    return given;
  }
}
