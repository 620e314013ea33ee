import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createDeploymentSchedules, updateDeploymentSchedule } from "#protocol/deployment-operations";
import type { Deployment, DeploymentSchedule } from "#protocol/deployments";
import { DEFAULT_POLICY, readSchedulePolicy, type SchedulePolicy } from "#protocol/schedule-policies";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { PolicyFields } from "./policy-fields.tsx";
import { SchedulePreview } from "./schedule-preview.tsx";
import { KINDS, type Kind, kindOf, ruleOf, scheduleOf } from "./schedule-words.ts";

export interface ScheduleFormProps {
  readonly deployment: Deployment;
  /** Null makes a new one. */
  readonly edited: DeploymentSchedule | null;
  readonly onClose: () => void;
}

/** Makes a schedule, or changes one, with what it does when runs overlap or were missed. */
export function ScheduleForm(props: ScheduleFormProps) {
  const { edited, deployment, onClose } = props;
  const { data, error } = useQuery({
    ...read(readSchedulePolicy, { params: { id: deployment.id, schedule_id: edited?.id ?? "" } }),
    enabled: edited !== null,
  });
  const policy = edited === null ? DEFAULT_POLICY : data;
  if (policy) return <Form {...props} policy={policy} />;
  return (
    <Modal open onClose={onClose} title="Edit the schedule">
      {error ? <ErrorNote title="The schedule could not be read" error={error} /> : <Skeleton height="24rem" />}
    </Modal>
  );
}

function Form({ deployment, edited, onClose, policy }: ScheduleFormProps & { readonly policy: SchedulePolicy }) {
  const before = edited?.schedule ?? null;
  const [kind, setKind] = useState<Kind>(before ? kindOf(before) : "cron");
  const [text, setText] = useState(before ? ruleOf(before) : "");
  const [timezone, setTimezone] = useState(
    before ? (before.timezone ?? "UTC") : Intl.DateTimeFormat().resolvedOptions().timeZone,
  );
  const [change, setChange] = useState(policy);
  const schedule = scheduleOf(kind, text, timezone, before);
  const save = async (): Promise<void> => {
    if (schedule === null) throw new Error(`${KINDS[kind]}: it is empty.`);
    const params = { id: deployment.id };
    const body = { schedule, policy: change };
    if (edited === null) await api.call(createDeploymentSchedules, { params, body: [{ ...body, active: true }] });
    else await api.call(updateDeploymentSchedule, { params: { ...params, schedule_id: edited.id }, body });
  };
  return (
    <FormModal title={edited ? "Edit the schedule" : "Add a schedule"} submit="Save" onSubmit={save} onClose={onClose}>
      <SelectField label="Kind" options={KINDS} value={kind} onChange={setKind} />
      <TextField
        label={KINDS[kind]}
        required
        placeholder={kind === "cron" ? "0 6 * * 1-5" : kind === "rrule" ? "FREQ=WEEKLY;BYDAY=MO" : "3600"}
        value={text}
        onChange={setText}
      />
      <TextField label="Time zone" list="time-zones" value={timezone} onChange={setTimezone} />
      <datalist id="time-zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <section className="next-times">
        <h3>Next times</h3>
        <SchedulePreview
          schedule={schedule}
          startAt={change.start_at ?? undefined}
          endAt={change.end_at ?? undefined}
        />
      </section>
      <PolicyFields policy={change} onChange={setChange} />
    </FormModal>
  );
}
