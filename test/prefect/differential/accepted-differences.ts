/**
 * What may differ, and why. `decided` is meant to stay; `to mend` is a fault of ours that is known, and its line must go
 * with it: a line that no difference needs fails the test.
 */
import type { Finding } from "./pair.ts";

export interface AcceptedDifference {
  readonly kind: "decided" | "to mend";
  readonly reason: string;
  /** All that are given must match; `operation` and `title` as in the request. */
  readonly operation?: RegExp;
  readonly title?: RegExp;
  /** Where in the answer: `status`, `body.state.name`. */
  readonly path?: RegExp;
  /** The two values, as JSON with nothing for what is absent, e.g. `422 → 400`. */
  readonly values?: RegExp;
}

export function accepts(accepted: AcceptedDifference, { operation, title, path, theirs, ours }: Finding): boolean {
  const values = `${JSON.stringify(theirs) ?? ""} → ${JSON.stringify(ours) ?? ""}`;
  const has = (pattern: RegExp | undefined, text: string): boolean => pattern === undefined || pattern.test(text);
  return (
    has(accepted.operation, operation) &&
    has(accepted.title, title) &&
    has(accepted.path, path) &&
    has(accepted.values, values)
  );
}

/** Differences in the answers to seeds and reads. */
export const ACCEPTED_IN_READS: readonly AcceptedDifference[] = [
  {
    kind: "decided",
    reason: "Criteria that contradict each other find nothing; upstream drops both",
    title: /"any_":\["RUNNING"\],"not_any_":\["RUNNING"\]/,
  },
  {
    kind: "decided",
    reason: "A run of a deployment names the version of it",
    path: /labels\.sluice\.deployment\.version$/,
  },
  {
    kind: "decided",
    reason:
      "Whether a run that was given no job variables has none or empty ones depends on upstream's way to insert it",
    path: /\.job_variables$/,
    values: /^null → \{\}$/,
  },
  {
    kind: "decided",
    reason: "Estimates count to the moment of the question",
    operation: /\/history$/,
    path: /\.sum_estimated_(run_time|lateness)$/,
  },
  {
    kind: "decided",
    reason: "Where absent keys stand in an order depends on the database; upstream's two differ",
    operation: /^POST \/(task|flow)_runs\//,
    path: /\.order$/,
  },
  {
    kind: "decided",
    reason: "A run that is being cancelled holds its slot; upstream counts it in one of its two lists",
    operation: /^POST \/work_pools\/\{work_pool_name\}\/queues\/filter$/,
    path: /\.active_slots$/,
  },
  {
    kind: "decided",
    reason: "The deployments in a default queue are found by its name, those too that did not name it",
    title: /"deployments":\{"work_queue_name":\{"any_":\["default"\]/,
  },
  {
    kind: "decided",
    reason: "Logs live with their run: a filter that names none looks at those of the newest twenty",
    operation: /^POST \/logs\/filter$/,
    path: /^body\.length$|members$/,
  },
  {
    kind: "decided",
    reason: "The check lists the queue of the deployment; upstream lists every queue of every pool that has no filter",
    operation: /\/work_queue_check$/,
    path: /^body\.length$/,
  },
  {
    kind: "decided",
    reason: "Upstream shows no artifacts that have a key but no type",
    operation: /\/graph-v2$/,
    path: /artifacts\.members$/,
  },
  {
    kind: "decided",
    reason: "Upstream's own operation fails",
    operation: /\/graph$/,
    path: /^(status|body)$/,
    values: /^(500|) →/,
  },
  {
    kind: "decided",
    reason: "Upstream cannot search texts on SQLite",
    operation: /^POST \/logs\/filter$/,
    title: /"text":/,
  },
  {
    kind: "decided",
    reason: "Upstream's pages of task runs leave fields out",
    operation: /^POST \/task_runs\/paginate$/,
    values: /^ → /,
  },
  {
    kind: "decided",
    reason: "The latest artifact of a key has no other id than its own",
    operation: /\/artifacts\/(latest\/filter|\{key\}\/latest)$/,
    path: /\.id$/,
  },
];

/** Differences in the answers to changes, in addition. */
export const ACCEPTED_IN_WRITES: readonly AcceptedDifference[] = [
  {
    kind: "decided",
    reason: "Upstream fails",
    path: /^(status|body)$/,
    values: /^(500 → (201|409|422|404)| → .*|null → .*)$/,
  },
  { kind: "decided", reason: "An unknown flow or run is named as not found", path: /^status$/, values: /^409 → 404$/ },
  {
    kind: "decided",
    reason:
      "The data of a state stays with the state instead of becoming an artifact that nobody made; and the artifacts of a " +
      "run that is deleted go with it",
    operation: /^POST \/artifacts\/count$/,
  },
];

/** Differences in the status of answers to wrong requests. */
export const ACCEPTED_IN_REFUSALS: readonly AcceptedDifference[] = [
  { kind: "decided", reason: "Nothing answers 500", values: /^5\d\d → (2|4)/ },
  {
    kind: "decided",
    reason: "What is not JSON is 400, and NaN is not JSON",
    title: /^the body (\{"|\{"a": NaN\})$/,
    values: /→ 400$/,
  },
  {
    kind: "decided",
    reason: "Unknown fields are ignored",
    title: /no_such|an unknown field|\{"a":1\}$/,
    values: /^422 → [24]/,
  },
  {
    kind: "decided",
    reason: "An explicit null means: not said",
    title: / = null$/,
    values: /^(422|409) → (2|404|409)/,
  },
  { kind: "decided", reason: "No body means: nothing said", title: /^the body $/, values: /^422 →/ },
  { kind: "decided", reason: "An unknown flow or run is named as not found", values: /^409 → 404$/ },
  { kind: "decided", reason: "What cannot be an id is refused as such", title: /^no id$/, values: /^404 → 422$/ },
  { kind: "decided", reason: "True is no number", title: / = true$/, values: /→ 422$/ },
  {
    kind: "decided",
    reason: "An unknown run has no inputs to list",
    operation: /\/input\/filter$/,
    values: /^200 → 404$/,
  },
  { kind: "decided", reason: "Every list has a limit", title: /^limit = (-1|201)$/, values: /^200 → 422$/ },
  { kind: "decided", reason: "Names and keys are not empty", title: / = ""$/, values: /^(201|404|409) → 422$/ },
  {
    kind: "decided",
    reason: "The same: a name is no empty list",
    title: /^name = (\[\]|\{\}|null)$/,
    values: /^(200|404|409) → 422$/,
  },
  { kind: "decided", reason: "A schedule is not nothing", title: /^schedule = null$/, values: /^404 → 422$/ },
  {
    kind: "decided",
    reason: "The flow was made when null was sent",
    operation: /^POST \/flows\/$/,
    values: /^201 → 200$/,
  },
  {
    kind: "decided",
    reason: "A body of null means: nothing said",
    title: /^the body null$/,
    values: /^422 → (2|404)/,
  },
  {
    kind: "decided",
    reason: "An unknown deployment has nothing to schedule",
    operation: /\/deployments\/\{id\}\/schedule$/,
    values: /^200 → 404$/,
  },
  {
    kind: "decided",
    reason: "The search was made when another wrong value was sent",
    operation: /^PUT \/saved_searches\/$/,
    values: /^201 → 200$/,
  },
  { kind: "decided", reason: "A limit is not negative", title: /^concurrency_limit = -1$/, values: /^201 → 422$/ },
  {
    kind: "decided",
    reason: "The limit was made when -1 was sent",
    title: /^concurrency_limit = 201$/,
    values: /^200 → 201$/,
  },
  { kind: "decided", reason: "A limit is a number", title: /^limit = null$/, values: /^404 → 422$/ },
  {
    kind: "decided",
    reason: "The limit was made with a value that upstream refuses",
    operation: /^POST \/v2\/concurrency_limits\/$/,
    values: /^201 → 409$/,
  },
  {
    kind: "decided",
    reason: "A lease on no limit at all is held by nobody, and renewed by anybody",
    operation: /\/leases\/\{lease_id\}\/renew$/,
    values: /^4\d\d → 204$/,
  },
  {
    kind: "decided",
    reason: "A filter without criteria asks for everything",
    operation: /^POST \/task_workers\/filter$/,
    values: /^422 → 200$/,
  },
  { kind: "decided", reason: "An interval is positive", title: /heartbeat_interval_seconds = -1/ },
];

/** Operations whose answers the installed package's models refuse. */
export const REFUSED_ANSWERS: readonly {
  readonly kind: "to mend";
  readonly reason: string;
  readonly operation: string;
}[] = [];
