/**
 * Encryption at rest. Each text gets a data key of its own (AES-256-GCM), which is wrapped by a master key from
 * SLUICE_ENCRYPTION_KEYS: the first of them writes, any of them reads. What a text belongs to is bound to it, so that
 * it cannot be moved to another row.
 */
import { SluiceError } from "#protocol/errors";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const VERSION = "v1";
const SET_KEYS = "openssl rand -base64 32 | npx wrangler secret put SLUICE_ENCRYPTION_KEYS";

interface MasterKey {
  /** The beginning of a hash of the key: names it without telling it. */
  readonly id: string;
  readonly key: CryptoKey;
}

/** The master keys, the one that writes first. */
export interface Keyring {
  readonly keys: readonly MasterKey[];
}

/** Where an envelope's master key is known by its id. */
export interface Sealed {
  readonly keyId: string;
  readonly envelope: string;
}

let cached: { readonly setting: string; readonly keyring: Promise<Keyring> } | null = null;

/** Reads the keys of this deployment. Throws `not_configured` if there are none, or one that is none. */
export function openKeyring(env: { readonly SLUICE_ENCRYPTION_KEYS?: string | undefined }): Promise<Keyring> {
  const setting = env.SLUICE_ENCRYPTION_KEYS ?? "";
  if (cached?.setting !== setting) cached = { setting, keyring: importKeys(setting) };
  return cached.keyring;
}

/** Encrypts with the newest key. `owner` has to be given again to open it. */
export async function seal(keyring: Keyring, text: string, owner: string): Promise<Sealed> {
  const [master] = keyring.keys;
  if (!master) throw noKeys();
  const dataKey = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const wrapped = await encrypt(master.key, dataKey, owner);
  const content = await encrypt(await importKey(dataKey), new TextEncoder().encode(text), owner);
  return { keyId: master.id, envelope: [VERSION, master.id, toBase64(wrapped), toBase64(content)].join(".") };
}

/** Decrypts. Throws `not_configured` when the key is not among ours, or the text is not what was sealed for `owner`. */
export async function unseal(keyring: Keyring, envelope: string, owner: string): Promise<string> {
  const [version, keyId, wrapped = "", content = ""] = envelope.split(".");
  const master = keyring.keys.find((key) => key.id === keyId);
  if (version !== VERSION || !master) throw keyMissing(owner, keyId ?? "", null);
  try {
    const dataKey = await importKey(await decrypt(master.key, fromBase64(wrapped), owner));
    return new TextDecoder().decode(await decrypt(dataKey, fromBase64(content), owner));
  } catch (cause) {
    throw keyMissing(owner, master.id, cause);
  }
}

async function importKeys(setting: string): Promise<Keyring> {
  const texts = setting.split(",").map((text) => text.trim());
  const given = texts.filter((text) => text !== "");
  if (given.length === 0) throw noKeys();
  const keys = await Promise.all(
    given.map(async (text, at): Promise<MasterKey> => {
      const bytes = readKey(text);
      if (bytes?.length !== KEY_BYTES) {
        throw new SluiceError("not_configured", `Key ${at + 1} of SLUICE_ENCRYPTION_KEYS is not 32 bytes in base64.`, {
          fix: `Separate keys by commas, the newest first. One is made and set by: ${SET_KEYS}`,
        });
      }
      return { id: await nameOf(bytes), key: await importKey(bytes) };
    }),
  );
  return { keys };
}

function readKey(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return fromBase64(text);
  } catch {
    // Not base64: the caller says so, with the position instead of the text.
    return null;
  }
}

async function nameOf(key: Uint8Array<ArrayBuffer>): Promise<string> {
  const label = new TextEncoder().encode("sluice master key ");
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array([...label, ...key]));
  return [...new Uint8Array(digest).slice(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function importKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function encrypt(key: CryptoKey, text: BufferSource, owner: string): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const content = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bytesOf(owner) }, key, text);
  const whole = new Uint8Array(IV_BYTES + content.byteLength);
  whole.set(iv);
  whole.set(new Uint8Array(content), IV_BYTES);
  return whole;
}

function decrypt(key: CryptoKey, whole: Uint8Array<ArrayBuffer>, owner: string): Promise<ArrayBuffer> {
  const iv = whole.slice(0, IV_BYTES);
  return crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: bytesOf(owner) }, key, whole.slice(IV_BYTES));
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  // A megabyte at once would be too many arguments.
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  return bytes;
}

function noKeys(): SluiceError {
  return new SluiceError("not_configured", "This control plane has no key to keep secrets with.", {
    fix: `Set one: ${SET_KEYS}`,
  });
}

function keyMissing(owner: string, keyId: string, cause: unknown): SluiceError {
  return new SluiceError("not_configured", `The secrets of ${owner} cannot be read with key ${keyId}.`, {
    fix: "Put the key that they were written with back into SLUICE_ENCRYPTION_KEYS, behind the newest, or save them anew.",
    cause,
  });
}
