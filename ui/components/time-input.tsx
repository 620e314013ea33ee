export interface TimeInputProps {
  readonly label: string;
  /** ISO 8601, UTC. */
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** Characters of a time without its seconds. */
const MINUTES = 16;

/** An instant, typed in the viewer's zone. */
export function TimeInput({ label, value, onChange }: TimeInputProps) {
  return (
    <label className="field">
      <span className="small">{label}</span>
      <input
        className="input"
        type="datetime-local"
        value={value ? localTime(value).slice(0, MINUTES) : ""}
        onChange={({ target }) => onChange(target.value === "" ? undefined : new Date(target.value).toISOString())}
      />
    </label>
  );
}

/** As the browser's control has it, in the viewer's zone: `2026-11-21T05:14:09`. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
