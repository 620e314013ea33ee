import type { UseQueryResult } from "@tanstack/react-query";
import type { Worker } from "#protocol/work-pools";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateGlyph } from "../../elements/state-glyph.tsx";
import { When } from "../../elements/when.tsx";

/** Who takes runs of the pool: those that are online first. */
export function Workers({ workers: { data, error } }: { readonly workers: UseQueryResult<Worker[]> }) {
  const sorted = [...(data ?? [])].sort((a, b) => (a.status === b.status ? 0 : a.status === "ONLINE" ? -1 : 1));
  return (
    <section className="panel">
      <h2>Workers</h2>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="4rem" />}
      {data?.length === 0 && <p className="quiet">No worker has been here yet.</p>}
      <ul className="lines">
        {sorted.map(({ id, name, status, last_heartbeat_time }) => (
          <li key={id}>
            <span className="state cut">
              <StateGlyph state={status === "ONLINE" ? "COMPLETED" : "CANCELLED"} />
              <span className="cut">{name}</span>
            </span>
            <span className="quiet">
              {status === "ONLINE" ? (
                "online"
              ) : (
                <>
                  last heard <When at={last_heartbeat_time} fallback="never" />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
