/** How background tasks and those who execute them find each other. */
import { LIMITS } from "../../protocol/limits.ts";
import type { TaskDefinition } from "../task.ts";

/** By what task workers find their tasks: the name alone, so that another version or another bundle of the code does. */
export function queueKeyOf({ name }: TaskDefinition): string {
  return name.slice(0, LIMITS.taskKeyChars);
}
