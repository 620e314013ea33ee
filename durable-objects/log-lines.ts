/** Log lines as the API answers them, made from the stored chunks of one run. */
import type { Log, LogCreate, LogFilter } from "#protocol/logs";
import { toWireTime } from "#protocol/time";
import type { LogQuery } from "./flow-run-owner.ts";
import type { PartitionIds } from "./partition.ts";
import type { LogChunk } from "./storage/run-rows.ts";

/** Filters, orders and pages the lines of one run. Lines of one instant stay in the order of their arrival. */
export function readLogs(chunks: Iterable<LogChunk>, ids: PartitionIds, query: LogQuery): Log[] {
  const matches = logMatcher(query.filter);
  const found: { line: LogCreate; chunk: LogChunk; index: number }[] = [];
  for (const chunk of chunks) {
    for (const [index, line] of chunk.lines.entries()) if (matches(line)) found.push({ line, chunk, index });
  }
  const direction = query.sort === "TIMESTAMP_DESC" ? -1 : 1;
  found.sort(
    (a, b) => direction * (a.line.timestamp < b.line.timestamp ? -1 : a.line.timestamp > b.line.timestamp ? 1 : 0),
  );
  return found
    .slice(query.offset, query.offset + query.limit)
    .map(({ line, chunk, index }) => logOf(ids, chunk, line, index));
}

/** The `index`-th line of a chunk as the API answers it. */
export function logOf(ids: PartitionIds, chunk: LogChunk, line: LogCreate, index: number): Log {
  return {
    id: ids.numbered(chunk.arrivedAt, chunk.seq, index),
    created: toWireTime(chunk.arrivedAt),
    updated: toWireTime(chunk.arrivedAt),
    ...line,
  };
}

/** Makes the test of a filter for lines of runs that are known to be wanted: `flow_run_id` is not looked at. */
export function logMatcher(filter: LogFilter): (line: LogCreate) => boolean {
  if (!filter) return () => true;
  const tests: ((line: LogCreate) => boolean)[] = [];
  const { level, timestamp, task_run_id: taskRunId, text } = filter;
  if (level?.ge_ != null) tests.push((line) => line.level >= (level.ge_ ?? 0));
  if (level?.le_ != null) tests.push((line) => line.level <= (level.le_ ?? 0));
  if (timestamp?.after_ != null) tests.push((line) => line.timestamp >= (timestamp.after_ ?? ""));
  if (timestamp?.before_ != null) tests.push((line) => line.timestamp <= (timestamp.before_ ?? ""));
  if (taskRunId?.any_ != null) {
    const wanted = new Set<string>(taskRunId.any_);
    tests.push((line) => line.task_run_id !== null && wanted.has(line.task_run_id));
  }
  if (taskRunId?.is_null_ != null) tests.push((line) => (line.task_run_id === null) === taskRunId.is_null_);
  if (text?.query) {
    const query = text.query.toLowerCase();
    tests.push((line) => line.message.toLowerCase().includes(query) || line.name.toLowerCase().includes(query));
  }
  if (tests.length === 0) return () => true;
  return filter.operator === "or_"
    ? (line) => tests.some((test) => test(line))
    : (line) => tests.every((test) => test(line));
}
