import type { ReactNode } from "react";
import { When } from "../../elements/when.tsx";
import { offsetText, zoneText } from "./zone-text.ts";

export interface DueTime {
  readonly key: string;
  readonly at: number;
  /** Of the schedule that it comes from. */
  readonly zone: string;
}

export interface DueTimesProps {
  readonly times: readonly DueTime[];
  /** What a time leads to, around its text; by default it leads nowhere. */
  readonly wrap?: (time: DueTime, text: string) => ReactNode;
}

/** Times in the viewer's zone and in their schedule's, with a mark where the schedule's clock is set. */
export function DueTimes({ times, wrap = (_, text) => text }: DueTimesProps) {
  const viewers = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const lastOfZone = new Map<string, number>();
  return (
    <ul className="lines">
      {times.map((time) => {
        const { key, at, zone } = time;
        const before = lastOfZone.get(zone);
        lastOfZone.set(zone, at);
        const isSet = before !== undefined && offsetText(before, zone) !== offsetText(at, zone);
        return (
          <li key={key}>
            <span>{wrap(time, zoneText(at))}</span>
            <span className="row quiet">
              {isSet && (
                <span className="tag" title={`In ${zone} the clock was ${offsetText(before, zone)} before.`}>
                  clock changes to {offsetText(at, zone)}
                </span>
              )}
              {zone !== viewers && <span title={zone}>{zoneText(at, zone)}</span>}
              <When at={new Date(at).toISOString()} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}
