import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Backfill, cancelBackfill, readBackfills } from "#protocol/backfills";
import type { Deployment } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { BackfillForm } from "./backfill-form.tsx";
import { zoneText } from "./zone-text.ts";

/** Ranges of its schedules' times that are, or were, run afterwards. */
export function Backfills({ deployment }: { readonly deployment: Deployment }) {
  const { data, error } = useQuery({
    ...read(readBackfills, { params: { id: deployment.id } }),
    refetchInterval: LIVE_MS * 2,
  });
  const [isNew, setNew] = useState(false);
  const refusal = useRoleRefusal("operator");
  const cancel = useMutation({ mutationFn: ({ id }: Backfill) => api.call(cancelBackfill, { params: { id } }) });
  const noSchedule = deployment.schedules.length === 0 ? "It has no schedule whose times could be run." : null;
  return (
    <section className="panel">
      <div className="row spread">
        <h2>Backfills</h2>
        <Button size="small" refusal={refusal ?? noSchedule} onClick={() => setNew(true)}>
          New backfill
        </Button>
      </div>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="3rem" />}
      {data?.length === 0 && <p className="quiet">Times that have passed were never run afterwards.</p>}
      <ul className="lines">
        {data?.map((backfill) => (
          <li key={backfill.id}>
            <span className="cut">
              {zoneText(Date.parse(backfill.start))} to {zoneText(Date.parse(backfill.end))}
            </span>
            <span className="row quiet">
              {backfill.made} of {backfill.total}, {backfill.status.toLowerCase()}
              {backfill.status === "RUNNING" && (
                <Button size="small" kind="danger" refusal={refusal} onClick={() => cancel.mutate(backfill)}>
                  Cancel
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {cancel.error && <ErrorNote error={cancel.error} />}
      {isNew && <BackfillForm deployment={deployment} onClose={() => setNew(false)} />}
    </section>
  );
}
