import { useQuery } from "@tanstack/react-query";
import { readDeploymentVersions, restoreDeploymentVersion } from "#protocol/deployment-versions";
import type { Deployment } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { When } from "../../elements/when.tsx";
import { RestoreButton } from "./restore-button.tsx";

const ROWS = 10;

/** What it was before: each change of what it runs, and where, is kept, and can be gone back to. */
export function Versions({ deployment }: { readonly deployment: Deployment }) {
  const { data, error } = useQuery(
    read(readDeploymentVersions, { params: { id: deployment.id }, query: { limit: ROWS } }, deployment.updated),
  );
  return (
    <section className="panel">
      <h2>Versions</h2>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="3rem" />}
      <ul className="lines">
        {data?.map(({ number, created, content }, index) => (
          <li key={number}>
            <span className="cut">
              {number} <code className="quiet">{content.details.entrypoint ?? content.details.version ?? ""}</code>
            </span>
            <span className="row quiet">
              <When at={created} />
              {index === 0 ? (
                <span className="tag">now</span>
              ) : (
                <RestoreButton
                  number={number}
                  onRestore={() => api.call(restoreDeploymentVersion, { params: { id: deployment.id, number } })}
                />
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
