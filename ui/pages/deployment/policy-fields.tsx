import type { SchedulePolicy } from "#protocol/schedule-policies";
import { WireTime } from "#protocol/time";
import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";
import { TimeInput } from "../../components/time-input.tsx";
import { CATCH_UPS, OVERLAPS } from "./schedule-words.ts";

export interface PolicyFieldsProps {
  readonly policy: SchedulePolicy;
  readonly onChange: (policy: SchedulePolicy) => void;
}

/** What a schedule does when runs overlap or were missed, and from when to when it holds. */
export function PolicyFields({ policy, onChange }: PolicyFieldsProps) {
  const change = (part: Partial<SchedulePolicy>): void => onChange({ ...policy, ...part });
  const catchesUp = policy.catch_up === "LAST" || policy.catch_up === "ALL";
  return (
    <>
      <SelectField
        label="When an earlier run has not ended"
        options={OVERLAPS}
        value={policy.overlap}
        onChange={(overlap) => change({ overlap })}
      />
      <SelectField
        label="Times that were missed"
        options={CATCH_UPS}
        value={policy.catch_up}
        onChange={(catch_up) => change({ catch_up })}
      />
      {catchesUp && (
        <TextField
          label="Seconds after which a missed time is given up"
          type="number"
          min={60}
          required
          value={String(policy.catch_up_window)}
          onChange={(text) => change({ catch_up_window: Number(text) })}
        />
      )}
      <TextField
        label="Seconds over which starts are spread"
        type="number"
        min={0}
        max={86_400}
        step="any"
        required
        hint="0: each run starts at its time."
        value={String(policy.jitter)}
        onChange={(text) => change({ jitter: Number(text) })}
      />
      <TimeInput
        label="Not before"
        value={policy.start_at ?? undefined}
        onChange={(at) => change({ start_at: at === undefined ? null : WireTime.parse(at) })}
      />
      <TimeInput
        label="Not after"
        value={policy.end_at ?? undefined}
        onChange={(at) => change({ end_at: at === undefined ? null : WireTime.parse(at) })}
      />
    </>
  );
}
