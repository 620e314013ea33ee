import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { JsonObject } from "#protocol/flow-runs";
import { BaseJobTemplate } from "#protocol/job-template";
import { updateWorkPool, type WorkPool } from "#protocol/work-pools";
import { api } from "../../api/client.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { JsonField } from "../../components/schema-form/json-field.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";

/** How a worker makes a job of a run. It is held against the protocol's rules while it is typed. */
export function JobTemplate({ pool }: { readonly pool: WorkPool }) {
  const [template, setTemplate] = useState<unknown>(pool.base_job_template);
  const [isJson, setJson] = useState(true);
  const checked = BaseJobTemplate.safeParse(template);
  const save = useMutation({
    mutationFn: () =>
      api.call(updateWorkPool, { params: { name: pool.name }, body: { base_job_template: template as JsonObject } }),
  });
  const roleRefusal = useRoleRefusal("operator");
  const isUnchanged = JSON.stringify(template) === JSON.stringify(pool.base_job_template);
  const notNow = isJson && isUnchanged ? "It is as it was." : isJson && checked.success ? null : "It is not valid yet.";
  return (
    <section className="panel stack">
      <div className="row spread">
        <h2>Job template</h2>
        <Button size="small" refusal={roleRefusal ?? notNow} busy={save.isPending} onClick={() => save.mutate()}>
          Save
        </Button>
      </div>
      <JsonField aria-label="Job template" rows={10} value={template} onChange={setTemplate} onValid={setJson} />
      {checked.error?.issues.map(({ path, message }) => (
        <p key={message} className="field-error">
          {path.length > 0 && <code>{path.join(".")}</code>} {message}
        </p>
      ))}
      {save.error && <ErrorNote error={save.error} />}
    </section>
  );
}
