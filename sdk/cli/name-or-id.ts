/** Arguments that name one thing, by its name or by its id. */
import { Uuid } from "../protocol/ids.ts";
import { type Parameter, parsed, required, text } from "./parameters.ts";

/** Whether somebody typed an id rather than a name. */
export function isId(given: string): boolean {
  return Uuid.safeParse(given).success;
}

/** The required argument `<name>` that may also be an id. */
export function nameOrIdArgument(description: string): Parameter<string> {
  return required(text(description, { placeholder: "name-or-id" }));
}

/** A required argument that must be an id, as `listed` prints it. */
export function idArgument(kind: string, listed: string): Parameter<string> {
  const read = (given: string): string => {
    const id = Uuid.safeParse(given);
    if (id.success) return id.data;
    throw new Error(`not the id of a ${kind} (a UUID, as \`${listed}\` prints it)`);
  };
  return required(parsed(`Id of the ${kind}.`, read, { placeholder: "id" }));
}
