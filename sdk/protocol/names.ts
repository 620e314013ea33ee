/** Names that become part of addresses. */
import { z } from "zod";
import { LIMITS } from "./limits.ts";

/** A name of a flow, deployment, pool or queue: upstream refuses the same five characters, since names are read back from URLs. */
export const Name = z
  .string()
  .min(1)
  .max(LIMITS.nameChars)
  .regex(/^[^/%&><]+$/, "must not contain any of / % & > <");
