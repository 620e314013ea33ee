/** The package `rrule` as bundlers see it (modules with names) and as Node does (one object, being CommonJS). */
import * as library from "rrule";

export const RRule = ((library as { readonly default?: typeof library }).default ?? library).RRule;
