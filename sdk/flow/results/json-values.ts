/**
 * Values as JSON and back, with what JSON has no words for: Date, Map, Set, bigint, URL, RegExp, typed arrays, undefined,
 * NaN, the infinities and -0. Such a value is written as `{"$": "its kind", "v": …}`; an object that has a key `$` of its
 * own is wrapped the same way.
 */

/** A value that cannot be written, and where it is: `result.rows[3].client`. */
export class NotSerialisableError extends TypeError {
  override readonly name = "NotSerialisableError";

  /** Where in the value it is: `result.rows[0]`. */
  readonly path: string;
  /** What is there: `an instance of Client`. */
  readonly what: string;

  /** `owner` says whose value it is: ` of task run "extract-0"`. */
  constructor(path: string, what: string, owner = "") {
    super(
      `${path}${owner} is ${what}, which cannot be written as JSON. Use plain data, or give the task a serializer of its own (results: { serializer }), or persist: false.`,
    );
    this.path = path;
    this.what = what;
  }
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const TYPED = {
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

/** The value as JSON text. With `sorted`, equal values have equal texts. Throws {@link NotSerialisableError}. */
export function stringify(value: unknown, { name = "result", sorted = false } = {}): string {
  return JSON.stringify(plain(value, name, sorted, new Set()));
}

/** What {@link stringify} was given. Throws SyntaxError for text that is not its own. */
export function parse(text: string): unknown {
  return revive(JSON.parse(text) as Json);
}

function plain(value: unknown, path: string, sorted: boolean, above: Set<object>): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: "number", v: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $: "bigint", v: String(value) };
    case "undefined":
      return { $: "undefined" };
    case "function":
    case "symbol":
      throw new NotSerialisableError(path, `a ${typeof value}`);
    default:
  }
  if (value === null) return null;
  const object = value as object;
  if (above.has(object)) throw new NotSerialisableError(path, "a part of itself");
  above.add(object);
  const made = plainObject(object, path, sorted, above);
  above.delete(object);
  return made;
}

function plainObject(value: object, path: string, sorted: boolean, above: Set<object>): Json {
  const within = (one: unknown, where: string): Json => plain(one, where, sorted, above);
  if (Array.isArray(value)) return Array.from(value, (one, index) => within(one, `${path}[${index}]`));
  if (value instanceof Date) return { $: "Date", v: Number.isNaN(value.getTime()) ? null : value.toISOString() };
  if (value instanceof URL) return { $: "URL", v: value.href };
  if (value instanceof RegExp) return { $: "RegExp", v: [value.source, value.flags] };
  if (value instanceof Map) {
    return {
      $: "Map",
      v: [...value].map(([key, one], at) => [within(key, `${path}.key${at}`), within(one, `${path}.${String(key)}`)]),
    };
  }
  if (value instanceof Set) return { $: "Set", v: [...value].map((one, at) => within(one, `${path}.${at}`)) };
  if (value instanceof ArrayBuffer) return { $: "ArrayBuffer", v: toBase64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    const kind = value.constructor.name === "Buffer" ? "Uint8Array" : value.constructor.name;
    if (!(kind in TYPED)) throw new NotSerialisableError(path, `a ${kind}`);
    return { $: kind, v: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const json = Reflect.get(value, "toJSON") as unknown;
    if (typeof json === "function") return within(json.call(value), path);
    throw new NotSerialisableError(path, `an instance of ${value.constructor?.name || "a class"}`);
  }
  const names = Object.keys(value);
  if (sorted) names.sort();
  const entries = names.map((name) => [name, within(Reflect.get(value, name), `${path}.${name}`)] as const);
  // Built so that a key "__proto__" is a key like any other.
  const made = Object.fromEntries(entries);
  return Object.hasOwn(value, "$") ? { $: "object", v: made } : made;
}

function revive(json: Json): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(revive);
  if (!Object.hasOwn(json, "$")) return reviveEntries(json);
  const { $: kind, v } = json;
  switch (kind) {
    case "object":
      return reviveEntries(v as { [key: string]: Json });
    case "number":
      return Number(v);
    case "bigint":
      return BigInt(v as string);
    case "undefined":
      return undefined;
    case "Date":
      return new Date(v === null ? Number.NaN : (v as string));
    case "URL":
      return new URL(v as string);
    case "RegExp":
      return new RegExp((v as string[])[0] ?? "", (v as string[])[1]);
    case "Map":
      return new Map((v as [Json, Json][]).map(([key, one]) => [revive(key), revive(one)]));
    case "Set":
      return new Set((v as Json[]).map(revive));
    case "ArrayBuffer":
      return fromBase64(v as string).buffer;
    default:
  }
  if (typeof kind !== "string" || !(kind in TYPED))
    throw new SyntaxError(`The kind ${JSON.stringify(kind)} is unknown.`);
  return new TYPED[kind as keyof typeof TYPED](fromBase64(v as string).buffer);
}

function reviveEntries(json: { readonly [key: string]: Json }): object {
  return Object.fromEntries(Object.entries(json).map(([name, one]) => [name, revive(one)]));
}

const CHUNK = 0x8000;

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
