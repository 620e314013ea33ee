/** What of Prefect's REST API is not served yet, and the issue that it belongs to. Data of `openapi.test.ts`. */

/** Operations of other issues: a title, or a pattern of titles. */
export const OTHER_ISSUES: readonly { readonly operations: RegExp; readonly issue: string }[] = [
  { operations: /^\w+ \/automations\//, issue: "later: automations" },
  { operations: /^POST \/templates\/validate$/, issue: "later: automations" },
  {
    operations: /^\w+ \/events\/(filter|filter\/next|count-by\/\{countable\})$/,
    issue: "later: lasting event queries",
  },
];

/**
 * Fields of bodies and parameters of queries that a served operation does not know, and why. A line that no field needs
 * fails, so that this list only shrinks too.
 */
export const UNKNOWN_FIELDS: readonly { readonly fields: RegExp; readonly reason: string }[] = [];
