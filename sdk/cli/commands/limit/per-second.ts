/** The option `--per-second` of commands about limits. */
import { type Parameter, parsed } from "../../parameters.ts";

export function perSecond(): Parameter<number | undefined> {
  const read = (given: string): number => {
    const value = Number(given);
    if (given.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
    throw new Error("not a number of 0 or more");
  };
  return parsed("Slots that come back by themselves each second, which makes it a rate limit.", read, {
    placeholder: "n",
  });
}
