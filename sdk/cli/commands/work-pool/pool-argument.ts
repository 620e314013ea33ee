/** The work pool that a command is about. */
import { type Parameter, required, text } from "../../parameters.ts";

export function poolArgument(): Parameter<string> {
  return required(text("Name of the pool.", { placeholder: "name" }));
}
