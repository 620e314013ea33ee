import type { InputHTMLAttributes } from "react";

export interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> {
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  readonly onChange: (value: string) => void;
}

export function TextField({ label, hint, onChange, ...rest }: TextFieldProps) {
  return (
    <label className="field">
      <span>{label}</span>
      <input {...rest} className="input" onChange={({ target }) => onChange(target.value)} />
      {hint && <span className="quiet small">{hint}</span>}
    </label>
  );
}
