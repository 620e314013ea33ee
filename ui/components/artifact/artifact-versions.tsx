import { useQuery } from "@tanstack/react-query";
import { filterArtifacts } from "#protocol/artifacts";
import { read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { ArtifactView } from "./artifact-view.tsx";

const VERSIONS = 20;

/** The versions of an artifact, the newest first. */
export function ArtifactVersions({
  artifactKey,
  onClose,
}: {
  readonly artifactKey: string;
  readonly onClose: () => void;
}) {
  const { data, error } = useQuery(
    read(filterArtifacts, {
      body: { artifacts: { key: { any_: [artifactKey] } }, sort: "CREATED_DESC", limit: VERSIONS },
    }),
  );
  return (
    <Modal open onClose={onClose} title={artifactKey}>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="12rem" />}
      <div className="stack">
        {data?.map((artifact) => (
          <ArtifactView key={artifact.id} artifact={artifact} />
        ))}
      </div>
    </Modal>
  );
}
