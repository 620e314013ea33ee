/** Pages of the list of runs. */
import type { FlowRunFilters, FlowRunSort } from "#protocol/filters";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";

/** Where a page begins: after so many rows, or from a time on, without rows of that time that are known. */
export interface RunPage {
  readonly offset: number;
  readonly from: string | null;
  readonly without: readonly FlowRunId[];
}

export const FIRST_PAGE: RunPage = { offset: 0, from: null, without: [] };

/** The page after the rows that are known. By time it begins at the last one, so that runs that come meanwhile move none. */
export function pageAfter(rows: readonly Pick<FlowRun, "id" | "expected_start_time">[], sort: FlowRunSort): RunPage {
  const from = isByTime(sort) ? (rows.at(-1)?.expected_start_time ?? null) : null;
  if (from === null) return { ...FIRST_PAGE, offset: rows.length };
  const without = rows.flatMap(({ id, expected_start_time }) => (expected_start_time === from ? [id] : []));
  return { offset: 0, from, without };
}

/** The filters of a list, for one page of it. */
export function below(filters: FlowRunFilters, sort: FlowRunSort, { offset, from, without }: RunPage) {
  if (from === null) return { ...filters, offset };
  const bound = sort === "EXPECTED_START_TIME_DESC" ? { before_: from } : { after_: from };
  const flow_runs = {
    ...filters.flow_runs,
    id: { not_any_: [...without] },
    expected_start_time: { ...filters.flow_runs?.expected_start_time, ...bound },
  };
  return { ...filters, flow_runs };
}

function isByTime(sort: FlowRunSort): boolean {
  return sort === "EXPECTED_START_TIME_DESC" || sort === "EXPECTED_START_TIME_ASC";
}
