import type { JsonObject } from "#protocol/flow-runs";
import type { FieldErrors } from "./check-values.ts";
import { fieldSchema } from "./json-schema.ts";
import { SchemaField } from "./schema-field.tsx";

export interface SchemaFormProps {
  readonly schema: JsonObject;
  readonly values: JsonObject;
  readonly errors: FieldErrors;
  readonly onChange: (values: JsonObject) => void;
}

/** A field for each property of a JSON schema. An empty field is left out, so that the default holds. */
export function SchemaForm({ schema, values, errors, onChange }: SchemaFormProps) {
  const { properties = {}, required = [] } = fieldSchema({ type: "object", properties: {}, ...schema }, schema);
  const names = Object.keys(properties);
  if (names.length === 0) return <p className="quiet">It takes no parameters.</p>;
  return (
    <div className="stack">
      {names.map((name) => (
        <SchemaField
          key={name}
          name={name}
          schema={fieldSchema(properties[name], schema)}
          root={schema}
          isRequired={required.includes(name)}
          value={values[name]}
          errors={errors.get(name) ?? []}
          onChange={(value) => onChange(withValue(values, name, value))}
        />
      ))}
    </div>
  );
}

/** `undefined` takes the value away. */
export function withValue(values: JsonObject, name: string, value: unknown): JsonObject {
  const { [name]: _, ...rest } = values;
  return value === undefined ? rest : { ...rest, [name]: value };
}
