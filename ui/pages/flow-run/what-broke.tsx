import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FlowRun } from "#protocol/flow-runs";
import { filterLogs } from "#protocol/logs";
import { read } from "../../api/read.ts";
import type { LiveRun } from "../../api/run-stream.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateGlyph } from "../../elements/state-glyph.tsx";
import { stateWords } from "../../elements/state-words.ts";
import { When } from "../../elements/when.tsx";
import { type Failure, useFailure } from "./failure.ts";
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
  const { failure, error } = useFailure(run, live);
  const { task, subflow } = failure ?? { task: null, subflow: null };
  const broken = task ?? subflow ?? run;
  const own = run.state?.message ?? null;
  const message = broken.state?.message ?? own ?? "It left no message.";
  return (
    <section className="panel broke stack" aria-labelledby="broke">
      <div className="row spread">
        <h2 id="broke" className="state">
          <StateGlyph state={broken.state_type ?? "FAILED"} size={18} />
          <Title run={run} task={task} subflow={subflow} />
        </h2>
        <span className="row">
          <span className="quiet">
            <When at={broken.end_time ?? broken.state?.timestamp ?? null} />
          </span>
          {failure && <Place failure={failure} onSearch={onSearch} />}
          <Button size="small" onClick={() => onSearch({ tab: "logs", level: ERROR_LEVEL })}>
            All errors
          </Button>
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
      <pre className="error-message" tabIndex={0}>
        {message}
      </pre>
      {own !== null && broken !== run && !saysSame(own, message, broken.name) && (
        <p>
          The run itself ended with <code>{own}</code>
        </p>
      )}
      {error && !failure ? <ErrorNote title="Its subflows could not be read" error={error} /> : null}
      {failure && live.run !== null ? <LastLines failure={failure} /> : error ? null : <Skeleton height="8rem" />}
    </section>
  );
}

function Title({ run, task, subflow }: Pick<Failure, "task" | "subflow"> & { readonly run: FlowRun }) {
  if (!task && !subflow) return <span>The flow {stateWords(run.state_name ?? "failed")}</span>;
  const ended = (task ?? subflow)?.state_name ?? "failed";
  return (
    <span className="broke-title">
      {task && (
        <>
          Task <code>{task.name}</code> {subflow && "of "}
        </>
      )}
      {subflow && (
        <>
          {task ? "subflow" : "Subflow"} <code>{subflow.name}</code>{" "}
        </>
      )}
      {stateWords(ended)}
      {task && task.run_count > 1 && <span className="quiet"> in its attempt {task.run_count}</span>}
    </span>
  );
}

/** Leads to what broke. */
function Place({
  failure: { runId, task, subflow },
  onSearch,
}: {
  readonly failure: Failure;
  readonly onSearch: WhatBrokeProps["onSearch"];
}) {
  if (subflow) {
    return (
      <Link className="button" data-size="small" to="/runs/$runId" params={{ runId }} search={{ task: task?.id }}>
        Open the subflow
      </Link>
    );
  }
  if (!task) return null;
  return (
    <Button size="small" onClick={() => onSearch({ task: task.id })}>
      Look at the task
    </Button>
  );
}

function LastLines({ failure: { runId, task } }: { readonly failure: Failure }) {
  const { data: lines, error } = useQuery(
    read(filterLogs, {
      body: {
        logs: { flow_run_id: { any_: [runId] }, ...(task && { task_run_id: { any_: [task.id] } }) },
        sort: "TIMESTAMP_DESC",
        limit: LINES_AROUND,
      },
    }),
  );
  if (error && lines === undefined) return <ErrorNote title="The log could not be read" error={error} />;
  if (lines === undefined) return <Skeleton height="8rem" />;
  if (lines.length === 0) return <p className="quiet">It wrote nothing to its log.</p>;
  return (
    <figure>
      <figcaption className="quiet small">The last lines of its log</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
      <div ref={showEnd} className="log log-excerpt" tabIndex={0}>
        {[...lines].reverse().map((line) => (
          <LogLine key={line.id} line={line} taskName={null} isLinked={false} />
        ))}
      </div>
    </figure>
  );
}

/** The end is what counts; of a last line that is longer than the box, its beginning. */
function showEnd(box: HTMLElement | null): void {
  const last = box?.lastElementChild;
  if (!box || !(last instanceof HTMLElement)) return;
  box.scrollTop = Math.min(last.offsetTop - box.offsetTop, box.scrollHeight - box.clientHeight);
}

/** Whether a run's message says nothing beyond what broke in it. */
function saysSame(own: string, message: string, name: string): boolean {
  return own.includes(message) || message.includes(own) || own.includes(name);
}
