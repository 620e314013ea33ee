/**
 * Values of an address's search. Lists are JSON there; everything else is a text, so that a name made of digits, typed by
 * hand, stays that name. The router itself reads numbers and booleans that are written the way it would write them.
 */
import { z } from "zod";

/** For the router's `parseSearchWith`: throws for what is a text. */
export function parseSearchValue(text: string): unknown {
  if (!/^["[{]/.test(text)) throw new SyntaxError(`${text} is a text.`);
  return JSON.parse(text);
}

/** Part of a name, or the name of something. */
export const word = z
  .union([z.string().min(1), z.number().transform(String), z.boolean().transform(String)])
  .optional()
  .catch(undefined);

export const flag = z.boolean().optional().catch(undefined);

export const whole = z.int().optional().catch(undefined);
