import { useState } from "react";
import { type BlockDocument, createBlockDocument, updateBlockDocument } from "#protocol/block-documents";
import type { BlockSchema } from "#protocol/block-schemas";
import type { JsonObject } from "#protocol/flow-runs";
import { api } from "../../api/client.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { NO_ERRORS } from "../../components/schema-form/check-values.ts";
import { isObject } from "../../components/schema-form/json-schema.ts";
import { SchemaForm } from "../../components/schema-form/schema-form.tsx";
import { TextField } from "../../components/text-field.tsx";
import { referredName, sentData, shownData } from "./block-data.ts";

export interface BlockFormProps {
  readonly schema: BlockSchema;
  /** Null makes a new one. */
  readonly document: BlockDocument | null;
  readonly onClose: () => void;
}

/** A form from the block's schema. A secret is written here and never shown again: its empty field leaves it as it is; another empty field takes its value away. */
export function BlockForm({ schema, document, onClose }: BlockFormProps) {
  const [name, setName] = useState(document?.name ?? "");
  const [data, setData] = useState<JsonObject>(() => (document ? shownData(schema.fields, document) : {}));
  const references = Object.keys(document?.block_document_references ?? {});
  const save = async (): Promise<void> => {
    if (document) {
      const body = { data: sentData(schema.fields, document, data), merge_existing_data: false };
      await api.call(updateBlockDocument, { params: { id: document.id }, body });
      return;
    }
    await api.call(createBlockDocument, {
      body: { name: name.trim(), data, block_schema_id: schema.id, block_type_id: schema.block_type_id },
    });
  };
  const type = schema.block_type?.name ?? "block";
  return (
    <FormModal
      title={document ? `${type}: ${document.name}` : `New ${type}`}
      submit="Save"
      onSubmit={save}
      onClose={onClose}
    >
      {document === null && (
        <TextField
          label="Name"
          required
          pattern="[a-z0-9-]+"
          hint="Lower-case letters, digits and dashes."
          value={name}
          onChange={setName}
        />
      )}
      {document && hasSecrets(schema) && (
        <p className="quiet">Secrets are not shown. Their fields, left empty, keep what they hold.</p>
      )}
      {document &&
        references.map((name) => (
          <p key={name}>
            <strong>{name}</strong> is the block <code>{referredName(document, name)}</code>, which is changed by
            itself.
          </p>
        ))}
      <SchemaForm
        schema={withoutFields(schema.fields, references)}
        values={data}
        errors={NO_ERRORS}
        onChange={setData}
      />
    </FormModal>
  );
}

function hasSecrets({ fields }: BlockSchema): boolean {
  const names = fields["secret_fields"];
  return Array.isArray(names) && names.length > 0;
}

function withoutFields(fields: JsonObject, names: readonly string[]): JsonObject {
  const { properties } = fields;
  if (names.length === 0 || !isObject(properties)) return fields;
  const rest = Object.entries(properties).filter(([name]) => !names.includes(name));
  return { ...fields, properties: Object.fromEntries(rest) };
}
