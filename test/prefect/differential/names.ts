/**
 * Ids and instants differ between two servers that were told the same. So objects have names (`flow:etl`) and so have the
 * moments between the phases of seeding (`moment:1`); `{{flow:etl}}` in a request stands for the id on each server.
 */
import { type Json, type JsonFields, mapStrings } from "./json.ts";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const PLACEHOLDER = /\{\{([^}]+)\}\}/g;
/** Spans that depend on the clock: only whether there was one, and its direction, is compared. */
const SPANS = new Set(["total_run_time", "estimated_run_time", "estimated_start_time_delta", "duration", "lateness"]);

/** Names of moments; one for both servers, which run on one machine. */
export class Moments {
  readonly #at: number[] = [Date.now()];

  /** Ends the phase: what happens from now on happened after `moment:N`. Answers N. */
  next(): number {
    this.#at.push(Date.now());
    return this.#at.length - 1;
  }

  at(index: number): string {
    return new Date(this.#at[index] ?? 0).toISOString();
  }

  /** `phase 2` for what happened between `moment:2` and `moment:3`; null for what was before it all began. */
  phaseOf(epochMs: number): string | null {
    const index = this.#at.findLastIndex((start) => epochMs >= start);
    const isSoon = epochMs < Date.now() + 60_000;
    return index === -1 || !isSoon ? null : `phase ${index}`;
  }
}

/** The names of one server's objects. */
export class Names {
  readonly #ids = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #moments: Moments;

  constructor(moments: Moments) {
    this.#moments = moments;
  }

  give(name: string, id: string): void {
    this.#ids.set(name, id);
    this.#names.set(id, name);
  }

  /** A request as it is sent. Throws when it names what does not exist. */
  resolve(value: Json): Json {
    return mapStrings(value, (text) => this.resolveText(text));
  }

  resolveText(text: string): string {
    return text.replace(PLACEHOLDER, (_, name: string) => {
      const [, moment] = /^moment:(\d+)$/.exec(name) ?? [];
      if (moment !== undefined) return this.#moments.at(Number(moment));
      const id = this.#ids.get(name);
      if (id === undefined) throw new Error(`Nothing is named ${name}.`);
      return id;
    });
  }

  /**
   * An answer without what legitimately differs: known ids become names, unknown ones are numbered as they come,
   * instants of this run become the phase they fall in, other instants are written one way.
   */
  normalise(value: Json): Json {
    const unknown = new Map<string, string>();
    const nameOf = (id: string): string => {
      const known = this.#names.get(id) ?? unknown.get(id);
      if (known !== undefined) return known;
      const name = `id ${unknown.size + 1}`;
      unknown.set(id, name);
      return name;
    };
    const named = mapStrings(value, (text) => {
      if (!INSTANT.test(text)) return text.replace(UUID, nameOf);
      const epochMs = Date.parse(text);
      return this.#moments.phaseOf(epochMs) ?? new Date(epochMs).toISOString();
    });
    return withoutSpans(named);
  }
}

function withoutSpans(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutSpans);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value as JsonFields).map(([key, inner]) => {
    if (SPANS.has(key) && typeof inner === "number") return [key, Math.sign(inner)];
    // A set of words, which upstream merges in any order.
    if (key === "tags" && Array.isArray(inner)) return [key, (inner as readonly Json[]).toSorted()];
    return [key, withoutSpans(inner)];
  });
  return Object.fromEntries(fields) as JsonFields;
}
