import { useQuery } from "@tanstack/react-query";
import { type FlowRun, readFlowRunStates } from "#protocol/flow-runs";
import { read } from "../../api/read.ts";
import { StateList } from "../../components/state-list.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";

/** Every state that the run went through. */
export function History({ run }: { readonly run: FlowRun }) {
  const { data, error } = useQuery({
    ...read(readFlowRunStates, { query: { flow_run_id: run.id } }, run.state_id),
    placeholderData: (before) => before,
  });
  if (error && !data) return <ErrorNote title="The states could not be read" error={error} />;
  return data ? <StateList states={data} /> : <Skeleton height="12rem" />;
}
