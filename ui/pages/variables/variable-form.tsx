import { useState } from "react";
import { createVariable, updateVariable, type Variable } from "#protocol/variables";
import { api } from "../../api/client.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { JsonField } from "../../components/schema-form/json-field.tsx";
import { TextField } from "../../components/text-field.tsx";

/** Makes a variable, or changes one. */
export function VariableForm({
  variable,
  onClose,
}: {
  readonly variable: Variable | null;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(variable?.name ?? "");
  const [value, setValue] = useState<unknown>(variable?.value);
  const save = async (): Promise<void> => {
    const body = { name: name.trim(), value: value ?? null };
    if (variable === null) await api.call(createVariable, { body });
    else await api.call(updateVariable, { params: { id: variable.id }, body });
  };
  return (
    <FormModal
      title={variable ? `Change ${variable.name}` : "New variable"}
      submit="Save"
      onSubmit={save}
      onClose={onClose}
    >
      <TextField label="Name" required value={name} onChange={setName} />
      <div className="field">
        <span>Value</span>
        <JsonField
          aria-label="Value"
          placeholder={'text, 12, true, ["a", "b"] or {"key": "value"}'}
          takesText
          rows={5}
          value={value}
          onChange={setValue}
        />
      </div>
    </FormModal>
  );
}
