import { useMutation } from "@tanstack/react-query";
import { deleteDeploymentSchedule, updateDeploymentSchedule } from "#protocol/deployment-operations";
import type { Deployment, DeploymentSchedule } from "#protocol/deployments";
import { api } from "../../api/client.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { ScheduleForm } from "./schedule-form.tsx";
import { scheduleText } from "./schedule-text.ts";

/** The value of `open` that stands for making a schedule. */
const NEW_SCHEDULE = "new-schedule";

/** When it runs by itself. */
export function Schedules({ deployment }: { readonly deployment: Deployment }) {
  const [open, setOpen] = useOpened();
  const edited = deployment.schedules.find(({ id }) => id === open);
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
        <Button size="small" refusal={refusal} onClick={() => setOpen(NEW_SCHEDULE)}>
          Add a schedule
        </Button>
      </div>
      {deployment.paused && <p className="notice">The schedules are paused.</p>}
      {deployment.schedules.length === 0 && <p className="quiet">It runs only when somebody asks for it.</p>}
      <ul className="lines">
        {deployment.schedules.map((schedule) => (
          <li key={schedule.id}>
            <span className="mono cut" title={scheduleText(schedule)}>
              {scheduleText(schedule)}
            </span>
            <span className="row">
              <Button size="small" refusal={refusal} onClick={() => toggle.mutate(schedule)}>
                {schedule.active ? "Turn off" : "Turn on"}
              </Button>
              <Button size="small" refusal={refusal} onClick={() => setOpen(schedule.id)}>
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
      {(edited || open === NEW_SCHEDULE) && (
        <ScheduleForm key={open} deployment={deployment} edited={edited ?? null} onClose={() => setOpen(null)} />
      )}
    </section>
  );
}
