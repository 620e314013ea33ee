import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { deleteDeploymentSchedule, updateDeploymentSchedule } from "#protocol/deployment-operations";
import type { Deployment, DeploymentSchedule } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { ScheduleForm } from "./schedule-form.tsx";
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
