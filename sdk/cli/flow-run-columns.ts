/** Columns of tables of flow runs, and how an id on the command line is read. */
import { formatDuration } from "../flow/duration.ts";
import type { FlowRun } from "../protocol/flow-runs.ts";
import { FlowRunId } from "../protocol/ids.ts";
import type { Column } from "./output.ts";
import { type Parameter, parsed, required } from "./parameters.ts";

export const FLOW_RUN_COLUMNS: readonly Column<FlowRun>[] = [
  { title: "ID", value: (run) => run.id },
  { title: "NAME", value: (run) => run.name },
  { title: "STATE", value: (run) => run.state_name },
  { title: "CREATED", value: (run) => wholeSeconds(run.created) },
  {
    title: "DURATION",
    value: (run) => (run.start_time === null ? null : formatDuration(run.estimated_run_time * 1_000)),
  },
  { title: "WORK POOL", value: (run) => run.work_pool_name },
];

/** A time without its fraction. */
export function wholeSeconds(time: string | null): string | null {
  return time === null ? null : `${time.slice(0, 19)}Z`;
}

/** The required argument `<id>` of a command about one run. */
export function flowRunIdArgument(): Parameter<FlowRunId> {
  const read = (given: string): FlowRunId => {
    const id = FlowRunId.safeParse(given);
    if (id.success) return id.data;
    throw new Error("not the id of a flow run (a UUID, as `sluice flow-run ls` prints it)");
  };
  return required(parsed("Id of the flow run.", read, { placeholder: "id" }));
}
