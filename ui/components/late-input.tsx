import { type InputHTMLAttributes, useEffect, useRef, useState } from "react";

/** After the last letter. */
const DELAY_MS = 250;

export interface LateInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
}

/** A text that is told once the typing pauses. */
export function LateInput({ label, value, onChange, ...rest }: LateInputProps) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      {...rest}
      className="input"
      aria-label={label}
      value={text}
      onChange={(event) => {
        const next = event.target.value;
        setText(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onChange(next), DELAY_MS);
      }}
    />
  );
}
