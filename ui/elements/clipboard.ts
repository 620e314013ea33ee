/** Puts a text into the clipboard. Returns what became of it, in words for a button. */
export async function toClipboard(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    // Browsers give no clipboard to pages that are not served by https or from this machine.
    return "Not allowed here";
  }
}
