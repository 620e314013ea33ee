import { useId } from "react";
import type { JsonObject } from "#protocol/flow-runs";
import { localTime } from "../time-input.tsx";
import { JsonField } from "./json-field.tsx";
import { type FieldSchema, fieldSchema, isObject } from "./json-schema.ts";
import { withValue } from "./schema-form.tsx";

export interface SchemaFieldProps {
  readonly name: string;
  readonly schema: FieldSchema;
  /** The whole schema, where `$ref`s lead to. */
  readonly root: JsonObject;
  readonly isRequired: boolean;
  readonly value: unknown;
  readonly errors: readonly string[];
  readonly onChange: (value: unknown) => void;
}

export function SchemaField(props: SchemaFieldProps) {
  const { name, schema, root, isRequired, value, errors, onChange } = props;
  const id = useId();
  const title = schema.title ?? name;
  if (schema.kind === "group" && schema.properties) {
    const group = isObject(value) ? value : {};
    return (
      <fieldset className="form-group stack">
        <legend>{title}</legend>
        {Object.entries(schema.properties).map(([inner, innerSchema]) => (
          <SchemaField
            key={inner}
            name={inner}
            schema={fieldSchema(innerSchema, root)}
            root={root}
            isRequired={schema.required?.includes(inner) ?? false}
            value={group[inner]}
            errors={[]}
            onChange={(next) => onChange(withValue(group, inner, next))}
          />
        ))}
        <Errors id={id} errors={errors} />
      </fieldset>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>
        <strong>{title}</strong>
        {isRequired ? <span className="quiet"> (needed)</span> : null}
        {title !== name && <code className="quiet"> {name}</code>}
      </label>
      <Control {...props} id={id} />
      {schema.description && <span className="quiet small">{schema.description}</span>}
      {isDate(schema) && schema.default != null && (
        <span className="quiet small">Default: {String(schema.default)}</span>
      )}
      <Errors id={id} errors={errors} />
    </div>
  );
}

function Errors({ id, errors }: { readonly id: string; readonly errors: readonly string[] }) {
  if (errors.length === 0) return null;
  return (
    <span className="field-error" id={`${id}-error`}>
      {errors.join("; ")}
    </span>
  );
}

function isDate({ kind }: FieldSchema): boolean {
  return kind === "date" || kind === "date-time";
}

function Control({ id, schema, value, errors, onChange }: SchemaFieldProps & { readonly id: string }) {
  const placeholder =
    schema.default === undefined || schema.default === null ? undefined : `Default: ${JSON.stringify(schema.default)}`;
  const common = {
    id,
    "aria-invalid": errors.length > 0,
    "aria-describedby": errors.length > 0 ? `${id}-error` : undefined,
  };
  const text = value === undefined || value === null ? "" : String(value);
  switch (schema.kind) {
    case "boolean":
    case "choice": {
      const options = schema.kind === "boolean" ? [true, false] : (schema.enum ?? []);
      return (
        <select
          {...common}
          className="select"
          value={value === undefined ? "" : JSON.stringify(value)}
          onChange={({ target }) => onChange(target.value === "" ? undefined : JSON.parse(target.value))}
        >
          <option value="">{placeholder ?? (schema.nullable ? "None" : "Choose …")}</option>
          {options.map((option) => (
            <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
              {String(option)}
            </option>
          ))}
        </select>
      );
    }
    case "number":
    case "integer":
      return (
        <input
          {...common}
          className="input"
          type="number"
          step={schema.kind === "integer" ? 1 : "any"}
          placeholder={placeholder}
          value={text}
          onChange={({ target }) => onChange(target.value === "" ? undefined : Number(target.value))}
        />
      );
    case "json":
      return (
        <JsonField
          {...common}
          takesText={schema.takesText ?? false}
          placeholder={placeholder ?? "JSON"}
          value={value}
          onChange={onChange}
        />
      );
    case "date":
    case "date-time":
      // What the control could not show, like a relative time, stays a text.
      if (text === "" || Number.isFinite(Date.parse(text))) {
        return <DateInput common={common} kind={schema.kind} text={text} onChange={onChange} />;
      }
  }
  if (`${text}${schema.default}`.includes("\n")) {
    return (
      <textarea
        {...common}
        className="input"
        rows={4}
        placeholder={placeholder}
        value={text}
        onChange={({ target }) => onChange(target.value === "" ? undefined : target.value)}
      />
    );
  }
  return (
    <input
      {...common}
      className="input"
      {...(schema.format === "password" && { type: "password", autoComplete: "new-password" })}
      placeholder={placeholder}
      value={text}
      onChange={({ target }) => onChange(target.value === "" ? undefined : target.value)}
    />
  );
}

interface DateInputProps {
  readonly common: { readonly id: string };
  readonly kind: "date" | "date-time";
  readonly text: string;
  readonly onChange: (value: string | undefined) => void;
}

/** A day, or an instant in the viewer's zone. */
function DateInput({ common, kind, text, onChange }: DateInputProps) {
  const isDay = kind === "date";
  return (
    <input
      {...common}
      className="input"
      type={isDay ? "date" : "datetime-local"}
      step={isDay ? undefined : 1}
      value={isDay || text === "" ? text : localTime(text)}
      onChange={({ target }) =>
        onChange(target.value === "" ? undefined : isDay ? target.value : new Date(target.value).toISOString())
      }
    />
  );
}
