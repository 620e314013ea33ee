import { useMutation, useQuery } from "@tanstack/react-query";
import { type Backfill, cancelBackfill, readBackfills } from "#protocol/backfills";
import type { Deployment } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { BackfillForm } from "./backfill-form.tsx";
import { zoneText } from "./zone-text.ts";

/** The value of `open` that stands for making one. */
const NEW_BACKFILL = "new-backfill";

/** Ranges of its schedules' times that are, or were, run afterwards. */
export function Backfills({ deployment }: { readonly deployment: Deployment }) {
  const { data, error } = useQuery({
    ...read(readBackfills, { params: { id: deployment.id } }),
    refetchInterval: LIVE_MS * 2,
  });
  const [open, setOpen] = useOpened();
  const refusal = useRoleRefusal("operator");
  const cancel = useMutation({ mutationFn: ({ id }: Backfill) => api.call(cancelBackfill, { params: { id } }) });
  const noSchedule = deployment.schedules.length === 0 ? "It has no schedule whose times could be run." : null;
  return (
    <section className="panel">
      <div className="row spread">
        <h2>Backfills</h2>
        <Button size="small" refusal={refusal ?? noSchedule} onClick={() => setOpen(NEW_BACKFILL)}>
          New backfill
        </Button>
      </div>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="3rem" />}
      {data?.length === 0 && (
        <p className="quiet">None yet. A backfill runs the times of its schedules that lie in a span of the past.</p>
      )}
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
      {open === NEW_BACKFILL && <BackfillForm deployment={deployment} onClose={() => setOpen(null)} />}
    </section>
  );
}
