import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type LeaseHolder, readConcurrencyLimitHolders } from "#protocol/concurrency-limits";
import type { FlowRunId } from "#protocol/ids";
import { useRunNames } from "../../api/names.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Lasting } from "../../elements/lasting.tsx";
import { Modal } from "../../elements/modal.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";

export interface OccupancyProps {
  readonly name: string;
  /** What the limit is called on screens. */
  readonly title: string;
  readonly onClose: () => void;
}

/** Who holds a limit's slots, and who waits for one, the next first. */
export function Occupancy({ name, title, onClose }: OccupancyProps) {
  const { data, error } = useQuery({
    ...read(readConcurrencyLimitHolders, { params: { id_or_name: name } }),
    refetchInterval: LIVE_MS,
  });
  const holders = [...(data?.holders ?? []), ...(data?.waiters ?? [])].map(({ holder }) => holder);
  const names = useRunNames(holders.map((holder) => (holder?.type === "flow_run" ? (holder.id as FlowRunId) : null)));
  return (
    <Modal open onClose={onClose} title={title}>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="8rem" />}
      {data && (
        <div className="stack">
          <section>
            <h3>Holders</h3>
            {data.holders.length === 0 && <p className="quiet">Nobody holds a slot.</p>}
            <ul className="lines">
              {data.holders.map(({ lease_id, slots, holder, since }) => (
                <li key={lease_id}>
                  <Holder holder={holder} names={names} />
                  <span className="quiet">
                    {slots} {slots === 1 ? "slot" : "slots"} <Lasting from={since} />
                  </span>
                </li>
              ))}
            </ul>
          </section>
          <section>
            <h3>In line</h3>
            {data.waiters.length === 0 && <p className="quiet">Nobody waits.</p>}
            <ul className="lines">
              {data.waiters.map(({ slots, holder, since, priority }) => (
                <li key={`${holder?.id}${since}`}>
                  <Holder holder={holder} names={names} />
                  <span className="quiet">
                    {slots} wanted, priority {priority}, <Lasting from={since} />
                  </span>
                </li>
              ))}
            </ul>
          </section>
        </div>
      )}
    </Modal>
  );
}

interface HolderProps {
  readonly holder: LeaseHolder | null;
  readonly names: ReadonlyMap<FlowRunId, string>;
}

function Holder({ holder, names }: HolderProps) {
  if (holder === null) return <span className="quiet">somebody who said no name</span>;
  if (holder.type !== "flow_run") {
    return (
      <span>
        {holder.type.replace("_", " ")} <code>{holder.id}</code>
      </span>
    );
  }
  return (
    <Link to="/runs/$runId" params={{ runId: holder.id }}>
      {names.get(holder.id as FlowRunId) ?? `flow run ${holder.id}`}
    </Link>
  );
}
