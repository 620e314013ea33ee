import { useState } from "react";

export interface JsonFieldProps {
  readonly id?: string;
  readonly placeholder?: string;
  readonly rows?: number;
  readonly "aria-label"?: string;
  readonly value: unknown;
  /** Told as soon as the text is JSON; `undefined` for an empty one. */
  readonly onChange: (value: unknown) => void;
}

/** A value typed as JSON. What is not JSON yet is kept here, and said. */
export function JsonField({ value, onChange, rows = 3, ...rest }: JsonFieldProps) {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [problem, setProblem] = useState<string | null>(null);
  const change = (next: string): void => {
    setText(next);
    try {
      onChange(next.trim() === "" ? undefined : JSON.parse(next));
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <textarea {...rest} className="input" rows={rows} value={text} onChange={({ target }) => change(target.value)} />
      {problem && <span className="field-error">This is not JSON: {problem}</span>}
    </>
  );
}
