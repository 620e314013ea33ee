import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { filterFlowRunInput } from "#protocol/flow-run-inputs";
import { resumeFlowRun } from "#protocol/flow-run-operations";
import type { FlowRun, JsonObject } from "#protocol/flow-runs";
import { api } from "../../../api/client.ts";
import { read } from "../../../api/read.ts";
import { MarkdownText } from "../../../components/artifact/markdown-text.tsx";
import { checkValues, type FieldErrors, NO_ERRORS } from "../../../components/schema-form/check-values.ts";
import { isObject } from "../../../components/schema-form/json-schema.ts";
import { SchemaForm } from "../../../components/schema-form/schema-form.tsx";
import { Button } from "../../../elements/button.tsx";
import { ErrorNote } from "../../../elements/error-note.tsx";
import { Modal } from "../../../elements/modal.tsx";
import { Skeleton } from "../../../elements/skeleton.tsx";

/** A pause keeps its schema, its description and the answer. */
const INPUTS = 10;

/** Lets a paused run go on, with the input that it asked for, if any. */
export function ResumeForm({ run, onClose }: { readonly run: FlowRun; readonly onClose: () => void }) {
  const keys = run.state?.state_details.run_input_keyset;
  const key = keys?.["schema"];
  const { data, error } = useQuery({
    ...read(filterFlowRunInput, {
      params: { id: run.id },
      body: { prefix: commonStart(key ?? "", keys?.["description"]), limit: INPUTS },
    }),
    enabled: key !== undefined,
  });
  const schema = key === undefined ? {} : data && schemaIn(data.find((input) => input.key === key)?.value);
  const description = textIn(data?.find((input) => input.key === keys?.["description"])?.value);
  return (
    <Modal open onClose={onClose} title={`Resume ${run.name}`}>
      <div className="stack">
        {description && <MarkdownText text={description} />}
        {error && <ErrorNote title="What it waits for could not be read" error={error} />}
        {schema ? <Form run={run} schema={schema} onClose={onClose} /> : !error && <Skeleton height="8rem" />}
      </div>
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
    <form className="stack" onSubmit={submit}>
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

/** The key of the schema and of the description differ in their ends. */
function commonStart(key: string, other: string | undefined): string {
  if (other === undefined) return key;
  let length = 0;
  while (length < key.length && key[length] === other[length]) length++;
  return key.slice(0, length);
}

/** Of a JSON text; anything else is shown as it is. */
function textIn(text: string | undefined): string | undefined {
  if (text === undefined || !text.startsWith('"')) return text;
  return String(JSON.parse(text));
}

function schemaIn(text: string | undefined): JsonObject {
  if (text === undefined) return {};
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : {};
}
