import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type LeaseHolder, readConcurrencyLimitHolders } from "#protocol/concurrency-limits";
import { LIVE_MS, read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { When } from "../../elements/when.tsx";

/** Who holds a limit's slots, and who waits for one, the next first. */
export function Occupancy({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const { data, error } = useQuery({
    ...read(readConcurrencyLimitHolders, { params: { id_or_name: name } }),
    refetchInterval: LIVE_MS,
  });
  return (
    <Modal open onClose={onClose} title={name}>
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
                  <Holder holder={holder} />
                  <span className="quiet">
                    {slots} {slots === 1 ? "slot" : "slots"} since <When at={since} />
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
                  <Holder holder={holder} />
                  <span className="quiet">
                    {slots} wanted, priority {priority}, since <When at={since} />
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

function Holder({ holder }: { readonly holder: LeaseHolder | null }) {
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
      flow run {holder.id}
    </Link>
  );
}
