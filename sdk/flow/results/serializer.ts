/** How results become bytes. */
import { fromBase64, parse, stringify } from "./json-values.ts";

/** Turns values into bytes and back. `decode(encode(value))` equals the value. */
export interface Serializer {
  /** Written with each result, so that another serializer is not tried on it: `json`, `json+gzip`. */
  readonly name: string;
  /** Throws for a value that it cannot express. */
  encode(value: unknown): Uint8Array | Promise<Uint8Array>;
  /** Throws for bytes that are not its own. */
  decode(bytes: Uint8Array): unknown;
}

/** JSON with Date, Map, Set, bigint, URL, RegExp, typed arrays and undefined. Refuses functions, cycles and instances of classes. */
export const jsonSerializer: Serializer = {
  name: "json",
  encode: (value) => new TextEncoder().encode(stringify(value)),
  decode: (bytes) => parse(new TextDecoder().decode(bytes)),
};

/** Another serializer's bytes, compressed by gzip. */
export function compressed(inner: Serializer = jsonSerializer): Serializer {
  return {
    name: `${inner.name}+gzip`,
    encode: async (value) => through(await inner.encode(value), new CompressionStream("gzip")),
    decode: async (bytes) => await inner.decode(await through(bytes, new DecompressionStream("gzip"))),
  };
}

const IV_BYTES = 12;

/**
 * Another serializer's bytes, encrypted by AES-256-GCM: whoever stores them cannot read or change them. `key` is 32
 * bytes, or their base64. Throws TypeError for one of another length.
 */
export function encrypted(key: Uint8Array | string, inner: Serializer = jsonSerializer): Serializer {
  const bytes = typeof key === "string" ? fromBase64(key) : new Uint8Array(key);
  if (bytes.length !== 32) {
    throw new TypeError(
      `The key of encrypted() has ${bytes.length} bytes. Give 32, for example by \`openssl rand -base64 32\`.`,
    );
  }
  let imported: ReturnType<typeof crypto.subtle.importKey> | null = null;
  const aes = (): ReturnType<typeof crypto.subtle.importKey> => {
    imported ??= crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    return imported;
  };
  return {
    name: `${inner.name}+aes-gcm`,
    async encode(value) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const plain = new Uint8Array(await inner.encode(value));
      const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await aes(), plain));
      const all = new Uint8Array(IV_BYTES + sealed.length);
      all.set(iv);
      all.set(sealed, IV_BYTES);
      return all;
    },
    async decode(all) {
      const iv = new Uint8Array(all.subarray(0, IV_BYTES));
      const sealed = new Uint8Array(all.subarray(IV_BYTES));
      return await inner.decode(
        new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await aes(), sealed)),
      );
    },
  };
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const source = new Blob([new Uint8Array(bytes)]).stream();
  return new Uint8Array(await new Response(source.pipeThrough(stream)).arrayBuffer());
}
