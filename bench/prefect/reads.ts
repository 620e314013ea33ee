/** Reads of a hundred thousand flow runs, as UIs and scripts ask for them. */
import type { Contender, ContenderName } from "./contenders.ts";
import type { Measure, Scoreboard } from "./scoreboard.ts";
import { DAYS, type Owners, RUNS } from "./seed-runs.ts";
import { withClient } from "./slice.ts";

const AIM_MS = 20;
/** A read that has taken this long in all is not asked again. */
const ENOUGH_MS = 3_000;
const DAY_MS = 86_400_000;

export interface ReadContext {
  readonly board: Scoreboard;
  readonly owners: Owners;
  /** The time of the newest run. */
  readonly endMs: number;
  /** Each read is asked so many times at most, after once that does not count. */
  readonly times: number;
  /** How many rows each read answered, so that servers that answer differently are found out. */
  readonly sizes: Map<string, Map<ContenderName, number>>;
}

interface Read {
  readonly name: string;
  readonly path: string;
  body(context: ReadContext): unknown;
}

const filtered = (name: string, body: (context: ReadContext) => object): Read => ({
  name,
  path: "/api/flow_runs/filter",
  body: (context) => ({ limit: 200, ...body(context) }),
});

const READS: readonly Read[] = [
  filtered("filter: newest 200", () => ({})),
  filtered("filter: offset 50,000", () => ({ offset: RUNS / 2 })),
  filtered("filter: by flow", ({ owners }) => ({ flows: { id: { any_: [owners.flows[3]] } } })),
  filtered("filter: by flow name", () => ({ flows: { name: { any_: ["seeded-3"] } } })),
  filtered("filter: by deployment", ({ owners }) => ({
    flow_runs: { deployment_id: { any_: [owners.deployments[6]?.id] } },
  })),
  filtered("filter: by state Failed", () => ({ flow_runs: { state: { type: { any_: ["FAILED"] } } } })),
  filtered("filter: by state name Running or Pending", () => ({
    flow_runs: { state: { name: { any_: ["Running", "Pending"] } } },
  })),
  filtered("filter: started in the last day", ({ endMs }) => ({
    flow_runs: { start_time: { after_: timeAt(endMs - DAY_MS) } },
    sort: "START_TIME_DESC",
  })),
  filtered("filter: sort by expected start time", () => ({ sort: "EXPECTED_START_TIME_DESC" })),
  filtered("filter: expected in the last day, by expected start time", ({ endMs }) => ({
    flow_runs: { expected_start_time: { after_: timeAt(endMs - DAY_MS) } },
    sort: "EXPECTED_START_TIME_DESC",
  })),
  filtered("filter: by tag", () => ({ flow_runs: { tags: { all_: ["nightly"] } } })),
  filtered("filter: name contains", () => ({ flow_runs: { name: { like_: "heron-9999" } } })),
  { name: "count: all", path: "/api/flow_runs/count", body: () => ({}) },
  {
    name: "count: by state Completed",
    path: "/api/flow_runs/count",
    body: () => ({ flow_runs: { state: { type: { any_: ["COMPLETED"] } } } }),
  },
  {
    name: "history: thirty days, a bar a day",
    path: "/api/flow_runs/history",
    body: ({ endMs }) => ({
      history_start: timeAt(endMs - DAYS * DAY_MS),
      history_end: timeAt(endMs),
      history_interval_seconds: 86_400,
    }),
  },
  {
    name: "history: the last day, a bar an hour",
    path: "/api/flow_runs/history",
    body: ({ endMs }) => ({
      history_start: timeAt(endMs - DAY_MS),
      history_end: timeAt(endMs),
      history_interval_seconds: 3_600,
    }),
  },
  { name: "paginate: first page", path: "/api/flow_runs/paginate", body: () => ({ limit: 200, page: 1 }) },
  { name: "paginate: page 250", path: "/api/flow_runs/paginate", body: () => ({ limit: 200, page: 250 }) },
];

const MEASURES = new Map<Read, Measure>(
  READS.map((read) => [read, { name: read.name, unit: "ms", better: "lower", aim: { atMost: AIM_MS } }]),
);

/** One request after another; an operation that a server does not have is left out. */
export function readRuns(contender: Contender, context: ReadContext): Promise<void> {
  return withClient(contender, async (client) => {
    for (const read of READS) {
      const measure = MEASURES.get(read);
      const first = performance.now();
      for (let time = 0; time <= context.times; time++) {
        if (time > 1 && performance.now() - first > ENOUGH_MS) break;
        const begin = performance.now();
        const { status, body } = await client.call("POST", read.path, read.body(context));
        const durationMs = performance.now() - begin;
        if (status === 404 || status === 405) break;
        if (status !== 200) throw new Error(`${contender.name} answered ${status} to "${read.name}".`);
        if (time > 0 && measure) context.board.add(measure, contender.name, durationMs);
        const sizes = context.sizes.get(read.name) ?? new Map<ContenderName, number>();
        context.sizes.set(read.name, sizes.set(contender.name, sizeOf(body)));
      }
    }
  });
}

/** Rows of a list or a page, runs in a history, or the count itself. */
function sizeOf(body: unknown): number {
  if (typeof body === "number") return body;
  if (!Array.isArray(body)) return (body as { results: unknown[] }).results.length;
  const intervals = body as { readonly states?: readonly { readonly count_runs: number }[] }[];
  if (!Array.isArray(intervals[0]?.states)) return body.length;
  return intervals.flatMap(({ states }) => states ?? []).reduce((sum, { count_runs }) => sum + count_runs, 0);
}

function timeAt(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
