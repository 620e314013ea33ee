import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { createFlowRunFromDeployment, type Deployment } from "#protocol/deployments";
import type { JsonObject } from "#protocol/flow-runs";
import { api } from "../api/client.ts";
import { Button } from "../elements/button.tsx";
import { ErrorNote } from "../elements/error-note.tsx";
import { Modal } from "../elements/modal.tsx";
import { Segments } from "../elements/segments.tsx";
import { checkValues, type FieldErrors, NO_ERRORS } from "./schema-form/check-values.ts";
import { JsonField } from "./schema-form/json-field.tsx";
import { SchemaForm } from "./schema-form/schema-form.tsx";
import { TextField } from "./text-field.tsx";
import { TimeInput } from "./time-input.tsx";

export interface RunFormProps {
  readonly deployment: Deployment;
  /** What the fields hold at first: the deployment's own, or those of another run. */
  readonly parameters: JsonObject;
  readonly onClose: () => void;
}

const HOUR_MS = 3_600_000;
const TIMES = [
  ["now", "Now"],
  ["later", "Later"],
] as const;

/** Starts a run of a deployment, now or later, with parameters that its schema allows. */
export function RunForm({ deployment, parameters, onClose }: RunFormProps) {
  const navigate = useNavigate();
  const schema = deployment.parameter_openapi_schema;
  const isTyped = schema !== null && schema["properties"] !== undefined;
  const [values, setValues] = useState(parameters);
  const [errors, setErrors] = useState<FieldErrors>(NO_ERRORS);
  const [startAt, setStartAt] = useState<string | null>(null);
  const [name, setName] = useState("");
  const [tags, setTags] = useState("");
  const [variables, setVariables] = useState<unknown>(undefined);
  const start = useMutation({
    mutationFn: async () => {
      const found = schema && deployment.enforce_parameter_schema ? await checkValues(schema, values) : NO_ERRORS;
      setErrors(found);
      if (found.size > 0) return null;
      const wanted = tags.split(",").flatMap((tag) => tag.trim() || []);
      return await api.call(createFlowRunFromDeployment, {
        params: { id: deployment.id },
        body: {
          parameters: values,
          ...(name.trim() !== "" && { name: name.trim() }),
          ...(wanted.length > 0 && { tags: wanted }),
          ...(variables !== undefined && { job_variables: variables as JsonObject }),
          ...(startAt !== null && { state: { type: "SCHEDULED", state_details: { scheduled_time: startAt } } }),
        },
      });
    },
    onSuccess: (run) => run && navigate({ to: "/runs/$runId", params: { runId: run.id } }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    start.mutate();
  };
  return (
    <Modal open onClose={onClose} title={`Run ${deployment.name}`}>
      <form className="stack" onSubmit={submit}>
        {isTyped ? (
          <SchemaForm schema={schema} values={values} errors={errors} onChange={setValues} />
        ) : (
          <div className="field">
            <strong>Parameters</strong>
            <JsonField
              aria-label="Parameters"
              rows={6}
              value={values}
              onChange={(next) => setValues((next ?? {}) as JsonObject)}
            />
          </div>
        )}
        <div className="row">
          <Segments
            label="When it starts"
            options={TIMES}
            value={startAt === null ? "now" : "later"}
            onChange={(when) => setStartAt(when === "now" ? null : (startAt ?? nextHour()))}
          />
          {startAt !== null && (
            <TimeInput label="Start" value={startAt} onChange={(next) => setStartAt(next ?? nextHour())} />
          )}
        </div>
        <details>
          <summary>Name, tags, job variables</summary>
          <div className="stack" style={{ paddingTop: "var(--gap-3)" }}>
            <TextField label="Name of the run" placeholder="Made up by the server" value={name} onChange={setName} />
            <TextField
              label="Tags"
              placeholder="Beside those of the deployment: nightly, shop"
              value={tags}
              onChange={setTags}
            />
            <div className="field">
              <strong>Job variables</strong>
              <JsonField
                aria-label="Job variables"
                placeholder={'Over those of the deployment: {"env": {"DEBUG": "1"}}'}
                value={variables}
                onChange={setVariables}
              />
            </div>
          </div>
        </details>
        {errors.has("") && <p className="field-error">{errors.get("")?.join("; ")}</p>}
        {start.error && <ErrorNote error={start.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={start.isPending}>
            {startAt === null ? "Run" : "Schedule it"}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** What is offered at first. */
function nextHour(): string {
  return new Date(Math.ceil((Date.now() + 1) / HOUR_MS) * HOUR_MS).toISOString();
}
