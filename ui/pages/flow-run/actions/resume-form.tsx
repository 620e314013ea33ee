import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { filterFlowRunInput } from "#protocol/flow-run-inputs";
import { resumeFlowRun } from "#protocol/flow-run-operations";
import type { FlowRun, JsonObject } from "#protocol/flow-runs";
import { api } from "../../../api/client.ts";
import { read } from "../../../api/read.ts";
import { checkValues, type FieldErrors, NO_ERRORS } from "../../../components/schema-form/check-values.ts";
import { isObject } from "../../../components/schema-form/json-schema.ts";
import { SchemaForm } from "../../../components/schema-form/schema-form.tsx";
import { Button } from "../../../elements/button.tsx";
import { ErrorNote } from "../../../elements/error-note.tsx";
import { Modal } from "../../../elements/modal.tsx";
import { Skeleton } from "../../../elements/skeleton.tsx";

/** Lets a paused run go on, with the input that it asked for, if any. */
export function ResumeForm({ run, onClose }: { readonly run: FlowRun; readonly onClose: () => void }) {
  const key = run.state?.state_details.run_input_keyset?.["schema"];
  const { data, error } = useQuery({
    ...read(filterFlowRunInput, { params: { id: run.id }, body: { prefix: key ?? "", limit: 1 } }),
    enabled: key !== undefined,
  });
  const schema = key === undefined ? {} : data && schemaIn(data[0]?.value);
  return (
    <Modal open onClose={onClose} title={`Resume ${run.name}`}>
      {error && <ErrorNote title="What it waits for could not be read" error={error} />}
      {schema ? <Form run={run} schema={schema} onClose={onClose} /> : !error && <Skeleton height="8rem" />}
    </Modal>
  );
}

function Form({
  run,
  schema,
  onClose,
}: {
  readonly run: FlowRun;
  readonly schema: JsonObject;
  readonly onClose: () => void;
}) {
  const [values, setValues] = useState<JsonObject>({});
  const [errors, setErrors] = useState<FieldErrors>(NO_ERRORS);
  const resume = useMutation({
    mutationFn: async () => {
      const found = await checkValues(schema, values);
      setErrors(found);
      if (found.size > 0) return;
      const answer = await api.call(resumeFlowRun, { params: { id: run.id }, body: { run_input: values } });
      if (answer.status !== "ACCEPT" && "reason" in answer.details)
        throw new Error(answer.details.reason ?? "It was refused.");
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    resume.mutate();
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      {schema["properties"] === undefined ? (
        <p>It waits for nothing but to be resumed.</p>
      ) : (
        <SchemaForm schema={schema} values={values} errors={errors} onChange={setValues} />
      )}
      {resume.error && <ErrorNote error={resume.error} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>Leave it</Button>
        <Button type="submit" kind="primary" busy={resume.isPending}>
          Resume
        </Button>
      </div>
    </form>
  );
}

function schemaIn(text: string | undefined): JsonObject {
  if (text === undefined) return {};
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : {};
}
