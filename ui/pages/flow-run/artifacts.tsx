import { useQuery } from "@tanstack/react-query";
import { filterArtifacts } from "#protocol/artifacts";
import type { FlowRunId } from "#protocol/ids";
import { LIVE_MS, read } from "../../api/read.ts";
import { ArtifactView } from "../../components/artifact/artifact-view.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";

/** What the run left for people to look at. */
export function Artifacts({ runId }: { readonly runId: FlowRunId }) {
  const { data, error } = useQuery({
    ...read(filterArtifacts, {
      body: { artifacts: { flow_run_id: { any_: [runId] }, type: { not_any_: ["result"] } }, sort: "CREATED_DESC" },
    }),
    refetchInterval: LIVE_MS,
  });
  if (error && !data) return <ErrorNote title="The artifacts could not be read" error={error} />;
  if (!data) return <Skeleton height="12rem" />;
  if (data.length === 0) {
    return (
      <p className="empty">
        This run left no artifacts. A flow leaves one with <code>artifacts.markdown(…)</code> or{" "}
        <code>artifacts.table(…)</code>.
      </p>
    );
  }
  return (
    <div className="stack">
      {data.map((artifact) => (
        <ArtifactView key={artifact.id} artifact={artifact} />
      ))}
    </div>
  );
}
