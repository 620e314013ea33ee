import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { createFlowRunFromDeployment, type Deployment } from "#protocol/deployments";
import type { JsonObject } from "#protocol/flow-runs";
import { api } from "../api/client.ts";
import { Button } from "../elements/button.tsx";
import { ErrorNote } from "../elements/error-note.tsx";
import { Modal } from "../elements/modal.tsx";
import { checkValues, type FieldErrors, NO_ERRORS } from "./schema-form/check-values.ts";
import { JsonField } from "./schema-form/json-field.tsx";
import { SchemaForm } from "./schema-form/schema-form.tsx";

export interface RunFormProps {
  readonly deployment: Deployment;
  /** What the fields hold at first: the deployment's own, or those of another run. */
  readonly parameters: JsonObject;
  readonly onClose: () => void;
}

/** Starts a run of a deployment, with parameters that its schema allows. */
export function RunForm({ deployment, parameters, onClose }: RunFormProps) {
  const navigate = useNavigate();
  const schema = deployment.parameter_openapi_schema;
  const isTyped = schema !== null && schema["properties"] !== undefined;
  const [values, setValues] = useState(parameters);
  const [errors, setErrors] = useState<FieldErrors>(NO_ERRORS);
  const [name, setName] = useState("");
  const start = useMutation({
    mutationFn: async () => {
      const found = schema && deployment.enforce_parameter_schema ? await checkValues(schema, values) : NO_ERRORS;
      setErrors(found);
      if (found.size > 0) return null;
      return await api.call(createFlowRunFromDeployment, {
        params: { id: deployment.id },
        body: { parameters: values, ...(name.trim() !== "" && { name: name.trim() }) },
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
      <form className="stack" onSubmit={submit} noValidate>
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
        <label className="field">
          <span>Name of the run</span>
          <input
            className="input"
            placeholder="Made up by the server"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        {errors.has("") && <p className="field-error">{errors.get("")?.join("; ")}</p>}
        {start.error && <ErrorNote error={start.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={start.isPending}>
            Run
          </Button>
        </div>
      </form>
    </Modal>
  );
}
