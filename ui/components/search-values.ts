/**
 * Values of an address's search. Lists are JSON there; everything else is read as the text that stands there, so that a
 * name made of digits, typed by hand, stays a name.
 */
import { z } from "zod";

/** For `parseSearchWith`: throws for what is a text. */
export function parseSearchValue(text: string): unknown {
  if (!/^["[{]/.test(text)) throw new SyntaxError(`${text} is a text.`);
  return JSON.parse(text);
}

/** Part of a name, or the name of something. */
export const word = z.string().min(1).optional().catch(undefined);

export const flag = z.union([z.boolean(), z.stringbool()]).optional().catch(undefined);

export const whole = z
  .union([z.int(), z.string().min(1).transform(Number).pipe(z.int())])
  .optional()
  .catch(undefined);
