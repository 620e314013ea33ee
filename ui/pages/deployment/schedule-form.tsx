import { useSuspenseQuery } from "@tanstack/react-query";
import { Suspense, useState } from "react";
import { createDeploymentSchedules, updateDeploymentSchedule } from "#protocol/deployment-operations";
import type { Deployment, DeploymentSchedule, Schedule } from "#protocol/deployments";
import {
  type CatchUpMode,
  DEFAULT_POLICY,
  type OverlapPolicy,
  readSchedulePolicy,
  type SchedulePolicy,
  setSchedulePolicy,
} from "#protocol/schedule-policies";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";

const KINDS = { cron: "Cron expression", interval: "Seconds between runs", rrule: "Recurrence rule" } as const;
type Kind = keyof typeof KINDS;
const OVERLAPS: Readonly<Record<OverlapPolicy, string>> = {
  ALLOW: "Both run",
  SKIP: "The new one is left out",
  BUFFER_ONE: "One waits for the end of the earlier one",
  BUFFER_ALL: "All wait, one after the other",
  CANCEL_OTHER: "The earlier one is cancelled",
};
const CATCH_UPS: Readonly<Record<CatchUpMode, string>> = {
  DEFAULT: "Runs that were made already run late",
  NONE: "None of them runs",
  LAST: "The last one runs",
  ALL: "All of them run",
};

export interface ScheduleFormProps {
  readonly deployment: Deployment;
  /** Null makes a new one. */
  readonly edited: DeploymentSchedule | null;
  readonly onClose: () => void;
}

/** Makes a schedule, or changes one, with what it does when runs overlap or were missed. */
export function ScheduleForm(props: ScheduleFormProps) {
  const { edited, deployment } = props;
  if (edited === null) return <Form {...props} policy={DEFAULT_POLICY} />;
  return (
    <Suspense fallback={null}>
      <WithPolicy {...props} params={{ id: deployment.id, schedule_id: edited.id }} />
    </Suspense>
  );
}

type PolicyParams = { readonly id: Deployment["id"]; readonly schedule_id: string };

function WithPolicy({ params, ...props }: ScheduleFormProps & { readonly params: PolicyParams }) {
  const { data: policy } = useSuspenseQuery(read(readSchedulePolicy, { params }));
  return <Form {...props} policy={policy} />;
}

function Form({ deployment, edited, onClose, policy }: ScheduleFormProps & { readonly policy: SchedulePolicy }) {
  const before = edited?.schedule ?? { cron: "", timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
  const [kind, setKind] = useState<Kind>("cron" in before ? "cron" : "interval" in before ? "interval" : "rrule");
  const [text, setText] = useState(ruleOf(before));
  const [timezone, setTimezone] = useState(before.timezone ?? "UTC");
  const [overlap, setOverlap] = useState(policy.overlap);
  const [catchUp, setCatchUp] = useState(policy.catch_up);
  const save = async (): Promise<void> => {
    const schedule = scheduleOf(kind, text, timezone);
    const params = { id: deployment.id };
    let id = edited?.id;
    if (id === undefined) {
      id = (await api.call(createDeploymentSchedules, { params, body: [{ schedule, active: true }] }))[0]?.id;
    } else {
      await api.call(updateDeploymentSchedule, { params: { ...params, schedule_id: id }, body: { schedule } });
    }
    if (id === undefined || (overlap === policy.overlap && catchUp === policy.catch_up)) return;
    const body = { ...policy, overlap, catch_up: catchUp };
    await api.call(setSchedulePolicy, { params: { ...params, schedule_id: id }, body });
  };
  return (
    <FormModal title={edited ? "Edit the schedule" : "Add a schedule"} submit="Save" onSubmit={save} onClose={onClose}>
      <SelectField label="Kind" options={KINDS} value={kind} onChange={setKind} />
      <TextField
        label={KINDS[kind]}
        required
        placeholder={kind === "cron" ? "0 6 * * 1-5" : ""}
        value={text}
        onChange={setText}
      />
      <TextField label="Time zone" list="time-zones" value={timezone} onChange={setTimezone} />
      <datalist id="time-zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <SelectField label="When an earlier run has not ended" options={OVERLAPS} value={overlap} onChange={setOverlap} />
      <SelectField label="Times that were missed" options={CATCH_UPS} value={catchUp} onChange={setCatchUp} />
    </FormModal>
  );
}

function ruleOf(schedule: Schedule): string {
  if ("cron" in schedule) return schedule.cron;
  return "interval" in schedule ? String(schedule.interval) : schedule.rrule;
}

function scheduleOf(kind: Kind, text: string, timezone: string): Schedule {
  if (kind === "cron") return { cron: text, timezone };
  return kind === "interval" ? { interval: Number(text), timezone } : { rrule: text, timezone };
}
