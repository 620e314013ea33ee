/** Signatures by HMAC. */

/** Whether `signature` is that of the content. The platform compares without telling by its time where they differ. */
export async function isSigned(what: {
  readonly algorithm: "SHA-1" | "SHA-256" | "SHA-512";
  readonly key: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
}): Promise<boolean> {
  const how = { name: "HMAC", hash: what.algorithm };
  const key = await crypto.subtle.importKey("raw", what.key, how, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, what.signature, what.content);
}

/** The bytes of a signature or key; null where the text is none, or empty. */
export function decodeSignature(text: string, encoding: "hex" | "base64"): Uint8Array<ArrayBuffer> | null {
  if (text === "") return null;
  if (encoding === "hex") {
    return /^([0-9a-f]{2})+$/i.test(text)
      ? Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
      : null;
  }
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  } catch {
    // Not base64: no signature.
    return null;
  }
}

export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
