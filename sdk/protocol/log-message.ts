/** The text of a log line, apart from what else there is of lines: whoever writes lines loads only this. */
import { LIMITS } from "./limits.ts";
import { utf8Length, utf8Prefix } from "./utf8.ts";

const CUT = " … (cut)";

/** A log message as it is kept: what is longer than `LIMITS.logMessageBytes` is cut, and says so. */
export function cutLogMessage(message: string): string {
  // A unit of UTF-16 is three bytes at most.
  if (message.length * 3 <= LIMITS.logMessageBytes || utf8Length(message) <= LIMITS.logMessageBytes) return message;
  return utf8Prefix(message, LIMITS.logMessageBytes - utf8Length(CUT)) + CUT;
}
