/** Bytes that a text has in UTF-8. Unpaired surrogates count as the three bytes of their replacement. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Two units of a pair are four bytes together, every other unit from 0x800 on is three.
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
    bytes += isPair || unit >= 0x800 ? 2 : 1;
    if (isPair) index += 1;
  }
  return bytes;
}

/** The longest beginning of a text that has at most `maxBytes` bytes in UTF-8; no character is torn. */
export function utf8Prefix(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Length(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
