/** What a function's source tells: its parameters' names, whether it asks for the context, and a hash of it all. */

export interface FunctionShape {
  /** Names of the parameters; `""` for one without (a destructuring pattern). */
  readonly names: readonly string[];
  /** Position at which the function expects the task's context; null when it does not ask for it. */
  readonly contextIndex: number | null;
  /** Eight hexadecimal digits; another source gives another hash, with all likelihood. */
  readonly hash: string;
}

/** Reads a function's source. What cannot be read (native and bound functions) has no names and no context. */
export function shapeOf(run: (...args: never[]) => unknown): FunctionShape {
  const source = Function.prototype.toString.call(run);
  const parameters = source.includes("[native code]") ? [] : parametersOf(source);
  const last = parameters.at(-1);
  return {
    names: parameters.map((text) => /^(?:\.\.\.)?\s*([\p{L}_$][\p{L}\p{N}_$]*)/u.exec(text)?.[1] ?? ""),
    contextIndex: last !== undefined && asksForContext(last) ? parameters.length - 1 : null,
    hash: fnv1a(source),
  };
}

/**
 * A pattern without a default cannot be an optional parameter, so whoever leaves its argument out asks for the
 * context. A plain name says nothing of the kind, except by these two words.
 */
function asksForContext(parameter: string): boolean {
  if (/^_?(?:context|ctx)$/.test(parameter)) return true;
  return parameter.startsWith("{") && endOfPattern(parameter) === parameter.length;
}

/** Where the pattern that a parameter begins with is closed; a default may follow. */
function endOfPattern(parameter: string): number {
  let depth = 0;
  for (let at = 0; at < parameter.length; at++) {
    const skipped = commentOrString(parameter, at);
    if (skipped > at) {
      at = skipped - 1;
      continue;
    }
    if ("([{".includes(parameter.charAt(at))) depth++;
    if (")]}".includes(parameter.charAt(at)) && --depth === 0) return at + 1;
  }
  return parameter.length;
}

/** The texts of the parameters, without comments, split at the commas between them. */
function parametersOf(source: string): string[] {
  const start = /^(?:async\s*)?(?:function\b[^(]*|\*?\s*(?:[\w$#]+|\[[^\]]*\])?\s*)\(/.exec(source);
  if (!start) {
    const alone = /^(?:async\s+)?([\p{L}_$][\p{L}\p{N}_$]*)\s*=>/u.exec(source)?.[1];
    return alone === undefined ? [] : [alone];
  }
  const found: string[] = [];
  let text = "";
  let depth = 0;
  for (let at = start[0].length; at < source.length; at++) {
    const char = source.charAt(at);
    const skipped = commentOrString(source, at);
    if (skipped > at) {
      if (char !== "/") text += source.slice(at, skipped);
      at = skipped - 1;
      continue;
    }
    if (depth === 0 && (char === ")" || char === ",")) {
      if (text.trim() !== "") found.push(text.trim());
      if (char === ")") break;
      text = "";
      continue;
    }
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    text += char;
  }
  return found;
}

/** Where the comment or string that begins at a position ends; the position itself when there is none. */
function commentOrString(source: string, at: number): number {
  const two = source.slice(at, at + 2);
  if (two === "/*") return endAfter(source, "*/", at + 2);
  if (two === "//") return endAfter(source, "\n", at + 2);
  const quote = source.charAt(at);
  if (quote !== '"' && quote !== "'" && quote !== "`") return at;
  for (let end = at + 1; end < source.length; end++) {
    if (source.charAt(end) === "\\") end++;
    else if (source.charAt(end) === quote) return end + 1;
  }
  return source.length;
}

function endAfter(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end < 0 ? source.length : end + mark.length;
}

/**
 * FNV-1a, 32 bits. Not cryptographic: `crypto.subtle` is asynchronous, and a task's key is needed at once. It tells
 * versions of one task apart, nothing more.
 */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
