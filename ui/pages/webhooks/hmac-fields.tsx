import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";
import type { HmacFields as Fields } from "./verification.ts";

const ALGORITHMS = { sha256: "SHA-256", sha1: "SHA-1", sha512: "SHA-512" } as const;
const ENCODINGS = { hex: "Hexadecimal", base64: "Base64" } as const;

/** How a sender that none of the known ones is like signs. */
export function HmacFields({
  value,
  onChange,
}: {
  readonly value: Fields;
  readonly onChange: (value: Fields) => void;
}) {
  return (
    <fieldset className="form-group stack">
      <legend>The signature</legend>
      <TextField label="Header" required value={value.header} onChange={(header) => onChange({ ...value, header })} />
      <SelectField
        label="Hash"
        options={ALGORITHMS}
        value={value.algorithm ?? "sha256"}
        onChange={(algorithm) => onChange({ ...value, algorithm })}
      />
      <SelectField
        label="Written as"
        options={ENCODINGS}
        value={value.encoding ?? "hex"}
        onChange={(encoding) => onChange({ ...value, encoding })}
      />
      <TextField
        label="What stands before it"
        placeholder="Nothing; for example sha256="
        value={value.prefix ?? ""}
        onChange={(prefix) => onChange({ ...value, prefix })}
      />
      <TextField
        label="Header with the time"
        hint="What is signed is then the time in seconds, a dot, and the body."
        placeholder="None: the time is not signed"
        value={value.timestamp_header ?? ""}
        onChange={(header) => onChange({ ...value, timestamp_header: header || null })}
      />
    </fieldset>
  );
}
