import { useState } from "react";
import { type BlockDocument, createBlockDocument, OBFUSCATED, updateBlockDocument } from "#protocol/block-documents";
import type { BlockSchema } from "#protocol/block-schemas";
import type { JsonObject } from "#protocol/flow-runs";
import { api } from "../../api/client.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { NO_ERRORS } from "../../components/schema-form/check-values.ts";
import { SchemaForm } from "../../components/schema-form/schema-form.tsx";
import { TextField } from "../../components/text-field.tsx";

export interface BlockFormProps {
  readonly schema: BlockSchema;
  /** Null makes a new one. */
  readonly document: BlockDocument | null;
  readonly onClose: () => void;
}

/** A form from the block's schema. A secret is written here and never shown again: an empty field leaves it as it is. */
export function BlockForm({ schema, document, onClose }: BlockFormProps) {
  const [name, setName] = useState(document?.name ?? "");
  const [data, setData] = useState<JsonObject>(() => withoutSecrets(document?.data ?? {}));
  const save = async (): Promise<void> => {
    if (document) {
      const body = { data, merge_existing_data: true };
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
        <p className="quiet">Secrets are not shown. A field that is left empty keeps what it holds.</p>
      )}
      <SchemaForm schema={schema.fields} values={data} errors={NO_ERRORS} onChange={setData} />
    </FormModal>
  );
}

function hasSecrets({ fields }: BlockSchema): boolean {
  const names = fields["secret_fields"];
  return Array.isArray(names) && names.length > 0;
}

/** What stands in place of secrets must not be sent back. */
function withoutSecrets(data: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(data).filter(([, value]) => !JSON.stringify(value ?? null).includes(OBFUSCATED)),
  );
}
