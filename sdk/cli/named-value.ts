/** `name=value` on the command line; the value is JSON, or else text. Throws an Error whose message ends `"x" is …`. */
import { jsonOrText } from "./json-or-text.ts";

export function readNamedValue(given: string): [name: string, value: unknown] {
  const equals = given.indexOf("=");
  if (equals <= 0) throw new Error("not of the form name=value");
  return [given.slice(0, equals), jsonOrText(given.slice(equals + 1))];
}
