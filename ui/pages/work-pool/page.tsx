import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { readWorkPoolSlots } from "#protocol/slot-holders";
import { deleteWorkPool, filterWorkers, readWorkPool, updateWorkPool, type WorkPool } from "#protocol/work-pools";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { ConfirmButton } from "../../components/confirm-button.tsx";
import { DeadLetters } from "../../components/dead-letters.tsx";
import { useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { useTitle } from "../../elements/title.ts";
import { PoolForm } from "../work-pools/pool-form.tsx";
import { PoolStatus } from "../work-pools/pool-status.tsx";
import { JobTemplate } from "./job-template.tsx";
import { Queues } from "./queues.tsx";
import { SlotHolders } from "./slot-holders.tsx";
import { StartWorker } from "./start-worker.tsx";
import { WaitingRuns } from "./waiting-runs.tsx";
import { Workers } from "./workers.tsx";

/** The value of `open` that stands for the pool's own form. */
const EDIT = "pool";

export function WorkPoolPage() {
  const name = useParams({ from: "/app/work-pools/$poolName" }).poolName;
  const params = { name };
  const { data: pool } = useSuspenseQuery({ ...read(readWorkPool, { params }), refetchInterval: LIVE_MS });
  const workers = useQuery({ ...read(filterWorkers, { params, body: { workers: {} } }), refetchInterval: LIVE_MS });
  const slots = useQuery({ ...read(readWorkPoolSlots, { params, body: {} }), refetchInterval: LIVE_MS });
  useTitle(name);
  return (
    <main className="page stack">
      <header className="row spread">
        <div>
          <p className="crumb quiet">
            <Link to="/work-pools">Work pools</Link> / {pool.type}
          </p>
          <h1 className="row">
            {name} <PoolStatus status={pool.status} />
          </h1>
          {pool.description && <p className="quiet">{pool.description}</p>}
        </div>
        <Actions pool={pool} />
      </header>
      <StartWorker pool={pool} />
      <div className="columns">
        <Workers workers={workers} />
        <SlotHolders slots={slots} limit={pool.concurrency_limit} />
        <WaitingRuns poolName={name} />
        <Queues poolName={name} />
      </div>
      <DeadLetters
        queue="dispatch"
        title="Dispatches that were given up, of all pools"
        note="A message names the run and not the pool that was to take it."
      />
      <JobTemplate pool={pool} />
    </main>
  );
}

function Actions({ pool }: { readonly pool: WorkPool }) {
  const navigate = useNavigate();
  const refusal = useRoleRefusal("operator");
  const [open, setOpen] = useOpened();
  const params = { name: pool.name };
  const pause = useMutation({
    mutationFn: () => api.call(updateWorkPool, { params, body: { is_paused: !pool.is_paused } }),
  });
  const remove = useMutation({
    mutationFn: () => api.call(deleteWorkPool, { params }),
    onSuccess: () => navigate({ to: "/work-pools" }),
  });
  const error = pause.error ?? remove.error;
  return (
    <div>
      <div className="row" role="toolbar" aria-label="Actions">
        <Button refusal={refusal} busy={pause.isPending} onClick={() => pause.mutate()}>
          {pool.is_paused ? "Let it go on" : "Pause"}
        </Button>
        <Button refusal={refusal} onClick={() => setOpen(EDIT)}>
          Edit …
        </Button>
        <ConfirmButton
          text="Delete"
          question={`Delete the work pool ${pool.name}?`}
          consequence="Its queues are deleted, too. Its deployments stay, and their runs wait for another pool."
          kind="danger"
          refusal={refusal}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
        />
      </div>
      {error && <ErrorNote error={error} />}
      {open === EDIT && <PoolForm pool={pool} onClose={() => setOpen(null)} />}
    </div>
  );
}
