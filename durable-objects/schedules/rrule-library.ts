/** The package `rrule` as bundlers see it (modules with names) and as Node does (one object, being CommonJS). */
import * as library from "rrule";

export const RRule = ((Reflect.get(library, "default") as typeof library | undefined) ?? library).RRule;
