import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { BackfillCreate, BackfillRange, createBackfill, previewBackfill } from "#protocol/backfills";
import type { Deployment } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";
import { TimeInput } from "../../components/time-input.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { scheduleText } from "./schedule-text.ts";
import { zoneText } from "./zone-text.ts";

/** Asks for a range, shows which runs it would make, and makes them. */
export function BackfillForm({
  deployment,
  onClose,
}: {
  readonly deployment: Deployment;
  readonly onClose: () => void;
}) {
  const params = { id: deployment.id };
  const [scheduleId, setScheduleId] = useState(deployment.schedules[0]?.id ?? "");
  const [start, setStart] = useState<string | undefined>(undefined);
  const [end, setEnd] = useState<string | undefined>(undefined);
  const [atOnce, setAtOnce] = useState("1");
  const range = BackfillRange.safeParse({ start, end, schedule_id: scheduleId });
  const preview = useQuery({
    ...read(previewBackfill, { params, body: range.data ?? { start: "", end: "" } }),
    enabled: range.success,
  });
  const save = async (): Promise<void> => {
    const body = BackfillCreate.parse({ start, end, schedule_id: scheduleId, concurrency: Number(atOnce) });
    await api.call(createBackfill, { params, body });
  };
  const schedules = Object.fromEntries(deployment.schedules.map((one) => [one.id, scheduleText(one)]));
  return (
    <FormModal title="New backfill" submit="Run them" onSubmit={save} onClose={onClose}>
      <SelectField label="Schedule" options={schedules} value={scheduleId} onChange={setScheduleId} />
      <TimeInput label="From" value={start} onChange={setStart} />
      <TimeInput label="Until" value={end} onChange={setEnd} />
      <TextField label="Runs at once" type="number" min={1} required value={atOnce} onChange={setAtOnce} />
      {preview.error && <ErrorNote error={preview.error} />}
      {preview.data && (
        <div role="status">
          <p>
            <strong>{preview.data.total}</strong> {preview.data.total === 1 ? "run" : "runs"}:
          </p>
          <p className="quiet">
            {[...new Set([...preview.data.first, ...preview.data.last])]
              .map((at) => zoneText(Date.parse(at)))
              .join("; ")}
          </p>
        </div>
      )}
    </FormModal>
  );
}
