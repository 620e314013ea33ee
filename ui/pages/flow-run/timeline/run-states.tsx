import { useQuery } from "@tanstack/react-query";
import { type FlowRun, readFlowRunStates } from "#protocol/flow-runs";
import { isTerminal } from "#protocol/states";
import { read } from "../../../api/read.ts";
import { Bar } from "./bar.tsx";
import { Marks } from "./marks.tsx";
import type { Mark } from "./use-marks.ts";

export interface RunStatesProps {
  readonly run: FlowRun;
  readonly marks: readonly Mark[];
  /** What of the time is in sight. */
  readonly span: readonly [fromMs: number, untilMs: number];
  readonly nowMs: number;
}

/** The states of the run itself above those of its tasks, with the artifacts that it left outside of tasks. */
export function RunStates({ run, marks, span, nowMs }: RunStatesProps) {
  const { data } = useQuery({
    ...read(readFlowRunStates, { query: { flow_run_id: run.id } }, run.state_id),
    placeholderData: (before) => before,
  });
  return (
    <div className="timeline-states">
      <div className="timeline-name quiet small">{run.name}</div>
      <div className="timeline-track">
        {data?.map((state, index) => {
          const next = data[index + 1];
          if (!next && isTerminal(state.type)) return null;
          const fromMs = Date.parse(state.timestamp);
          const untilMs = next ? Date.parse(next.timestamp) : null;
          const kind = state.type === "RUNNING" || state.type === "CANCELLING" ? "run" : "wait";
          return (
            <Bar
              key={state.id}
              one={{ kind, state: state.type, fromMs, untilMs }}
              span={span}
              nowMs={nowMs}
              title={state.name}
            />
          );
        })}
        <Marks marks={marks} span={span} />
      </div>
    </div>
  );
}
