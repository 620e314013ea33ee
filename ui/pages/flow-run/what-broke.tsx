import { useQuery } from "@tanstack/react-query";
import type { FlowRun } from "#protocol/flow-runs";
import { filterLogs } from "#protocol/logs";
import type { TaskRun } from "#protocol/task-runs";
import { read } from "../../api/read.ts";
import type { LiveRun } from "../../api/run-stream.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateGlyph } from "../../elements/state-glyph.tsx";
import { When } from "../../elements/when.tsx";
import { LogLine } from "./log/log-line.tsx";
import type { RunSearch } from "./run-search.ts";

const LINES_AROUND = 14;
const ERROR_LEVEL = 40;

export interface WhatBrokeProps {
  readonly run: FlowRun;
  readonly live: LiveRun;
  readonly onSearch: (search: RunSearch) => void;
}

/** The first screen of a run that failed: where, by which error, and what was written just before. */
export function WhatBroke({ run, live, onSearch }: WhatBrokeProps) {
  const task = firstFailure(live);
  const at = task?.end_time ?? run.end_time ?? run.state?.timestamp ?? null;
  const { data: lines, error } = useQuery({
    ...read(filterLogs, {
      body: {
        logs: {
          flow_run_id: { any_: [run.id] },
          ...(task && { task_run_id: { any_: [task.id] } }),
        },
        sort: "TIMESTAMP_DESC",
        limit: LINES_AROUND,
      },
    }),
    enabled: live.run !== null,
  });
  const message = task?.state?.message ?? run.state?.message ?? "It left no message.";
  return (
    <section className="panel broke stack" aria-labelledby="broke">
      <div className="row spread">
        <h2 id="broke" className="state">
          <StateGlyph state={task?.state_type ?? run.state_type ?? "FAILED"} size={18} />
          <span>
            {task ? (
              <>
                Task <code>{task.name}</code> {task.state_name?.toLowerCase() ?? "failed"}
              </>
            ) : (
              <>The flow {run.state_name?.toLowerCase() ?? "failed"}</>
            )}
            {task && task.run_count > 1 && <span className="quiet"> in its attempt {task.run_count}</span>}
          </span>
        </h2>
        <span className="row">
          <span className="quiet">
            <When at={at} />
          </span>
          {task && (
            <Button size="small" onClick={() => onSearch({ task: task.id })}>
              Look at the task
            </Button>
          )}
          <Button size="small" onClick={() => onSearch({ tab: "logs", level: ERROR_LEVEL })}>
            All errors
          </Button>
        </span>
      </div>
      <pre className="error-message">{message}</pre>
      {error && lines === undefined ? (
        <ErrorNote title="The log could not be read" error={error} />
      ) : lines === undefined ? (
        <Skeleton height="8rem" />
      ) : lines.length === 0 ? (
        <p className="quiet">It wrote nothing to its log.</p>
      ) : (
        <figure>
          <figcaption className="quiet small">The last lines of its log</figcaption>
          <div className="log log-excerpt">
            {[...lines].reverse().map((line) => (
              <LogLine key={line.id} line={line} taskName={null} isLinked={false} />
            ))}
          </div>
        </figure>
      )}
    </section>
  );
}

/** The task run that failed first: those after it often fail because of it. */
function firstFailure({ tasks }: LiveRun): TaskRun | null {
  const failed = [...tasks.values()].filter(({ state_type }) => state_type === "FAILED" || state_type === "CRASHED");
  const ended = (task: TaskRun): string => task.end_time ?? task.updated;
  return failed.sort((a, b) => (ended(a) < ended(b) ? -1 : 1))[0] ?? null;
}
