import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { z } from "zod";
import type { readWorkPoolSlots } from "#protocol/slot-holders";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Lasting } from "../../elements/lasting.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { slotsText } from "../../elements/slots-text.ts";
import { StateGlyph } from "../../elements/state-glyph.tsx";

type Slots = z.infer<NonNullable<(typeof readWorkPoolSlots)["returns"]>>;

export interface SlotHoldersProps {
  readonly slots: UseQueryResult<Slots>;
  readonly limit: number | null;
}

/** The runs that hold the pool's slots. */
export function SlotHolders({ slots: { data, error }, limit }: SlotHoldersProps) {
  const holders = data?.queues.flatMap(({ flow_runs }) => flow_runs) ?? [];
  return (
    <section className="panel">
      <h2>Slots {data && <span className="quiet">{slotsText(data.active_slots, limit)}</span>}</h2>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="4rem" />}
      {data && holders.length === 0 && <p className="quiet">Nobody holds a slot.</p>}
      <ul className="lines">
        {holders.map(({ id, name, state_type, state_timestamp }) => (
          <li key={id}>
            <span className="state cut">
              <StateGlyph state={state_type ?? "PENDING"} />
              <Link to="/runs/$runId" params={{ runId: id }} className="cut">
                {name}
              </Link>
            </span>
            <span className="quiet">
              <Lasting from={state_timestamp} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
