import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import {
  createDeploymentSchedules,
  deleteDeploymentSchedule,
  updateDeploymentSchedule,
} from "#protocol/deployment-operations";
import type { Deployment, DeploymentSchedule, Schedule } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";
import { scheduleText } from "./schedule-text.ts";

/** When it runs by itself. */
export function Schedules({ deployment }: { readonly deployment: Deployment }) {
  const [edited, setEdited] = useState<DeploymentSchedule | "new" | null>(null);
  const refusal = useRoleRefusal("operator");
  const toggle = useMutation({
    mutationFn: ({ id, active }: DeploymentSchedule) =>
      api.call(updateDeploymentSchedule, { params: { id: deployment.id, schedule_id: id }, body: { active: !active } }),
  });
  const remove = useMutation({
    mutationFn: ({ id }: DeploymentSchedule) =>
      api.call(deleteDeploymentSchedule, { params: { id: deployment.id, schedule_id: id } }),
  });
  const error = toggle.error ?? remove.error;
  return (
    <section className="panel">
      <div className="row spread">
        <h2>Schedules</h2>
        <Button size="small" refusal={refusal} onClick={() => setEdited("new")}>
          Add a schedule
        </Button>
      </div>
      {deployment.paused && <p className="notice">The schedules are paused.</p>}
      {deployment.schedules.length === 0 && <p className="quiet">It runs only when somebody asks for it.</p>}
      <ul className="lines">
        {deployment.schedules.map((schedule) => (
          <li key={schedule.id}>
            <span className="mono cut">{scheduleText(schedule)}</span>
            <span className="row">
              <Button size="small" refusal={refusal} onClick={() => toggle.mutate(schedule)}>
                {schedule.active ? "Turn off" : "Turn on"}
              </Button>
              <Button size="small" refusal={refusal} onClick={() => setEdited(schedule)}>
                Edit
              </Button>
              <Button size="small" kind="danger" refusal={refusal} onClick={() => remove.mutate(schedule)}>
                Delete
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {error && <ErrorNote error={error} />}
      {edited !== null && (
        <ScheduleForm
          deployment={deployment}
          edited={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
    </section>
  );
}

const KINDS = { cron: "Cron expression", interval: "Every … seconds", rrule: "Recurrence rule" } as const;
type Kind = keyof typeof KINDS;

interface ScheduleFormProps {
  readonly deployment: Deployment;
  /** Null makes a new one. */
  readonly edited: DeploymentSchedule | null;
  readonly onClose: () => void;
}

function ScheduleForm({ deployment, edited, onClose }: ScheduleFormProps) {
  const before = edited?.schedule ?? { cron: "", timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
  const [kind, setKind] = useState<Kind>("cron" in before ? "cron" : "interval" in before ? "interval" : "rrule");
  const [text, setText] = useState(
    "cron" in before ? before.cron : "interval" in before ? String(before.interval) : before.rrule,
  );
  const [timezone, setTimezone] = useState(before.timezone ?? "UTC");
  const save = useMutation({
    mutationFn: async () => {
      const schedule: Schedule =
        kind === "cron"
          ? { cron: text, timezone }
          : kind === "rrule"
            ? { rrule: text, timezone }
            : { interval: Number(text), timezone };
      const params = { id: deployment.id };
      if (edited === null) await api.call(createDeploymentSchedules, { params, body: [{ schedule, active: true }] });
      else
        await api.call(updateDeploymentSchedule, { params: { ...params, schedule_id: edited.id }, body: { schedule } });
    },
    onSuccess: onClose,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal open onClose={onClose} title={edited ? "Edit the schedule" : "Add a schedule"}>
      <form className="stack" onSubmit={submit}>
        <label className="field">
          <span>Kind</span>
          <select className="select" value={kind} onChange={({ target }) => setKind(target.value as Kind)}>
            {Object.entries(KINDS).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{KINDS[kind]}</span>
          <input
            className="input mono"
            required
            placeholder={kind === "cron" ? "0 6 * * 1-5" : ""}
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
        </label>
        <label className="field">
          <span>Time zone</span>
          <input
            className="input"
            list="time-zones"
            value={timezone}
            onChange={({ target }) => setTimezone(target.value)}
          />
          <datalist id="time-zones">
            {Intl.supportedValuesOf("timeZone").map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </label>
        {save.error && <ErrorNote error={save.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}
