import { useEffect, useRef, useState } from "react";

export interface JsonFieldProps {
  readonly id?: string;
  readonly placeholder?: string;
  readonly rows?: number;
  readonly "aria-label"?: string;
  readonly value: unknown;
  /** Whether a text need not stand in quotes. Default false. */
  readonly takesText?: boolean;
  /** Told as soon as the text is JSON; `undefined` for an empty one. */
  readonly onChange: (value: unknown) => void;
  /** Told whether what was typed is something that can be sent. */
  readonly onValid?: (isValid: boolean) => void;
}

/** A value typed as JSON. What is not JSON yet is kept here, is said, and keeps the form from being sent. */
export function JsonField({ value, takesText = false, onChange, onValid, rows = 3, ...rest }: JsonFieldProps) {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const box = useRef<HTMLTextAreaElement>(null);
  const { problem, isText } = readText(text, takesText);
  useEffect(() => box.current?.setCustomValidity(problem ? `This is not JSON: ${problem}` : ""), [problem]);
  const change = (next: string): void => {
    setText(next);
    const read = readText(next, takesText);
    if (read.problem === null) onChange(read.value);
    onValid?.(read.problem === null);
  };
  return (
    <>
      <textarea
        {...rest}
        ref={box}
        className="input"
        rows={rows}
        value={text}
        onChange={({ target }) => change(target.value)}
      />
      {isText && <span className="quiet small">Taken as a text.</span>}
      {problem && <span className="field-error">This is not JSON: {problem}</span>}
    </>
  );
}

interface ReadText {
  readonly value: unknown;
  readonly isText: boolean;
  readonly problem: string | null;
}

function readText(text: string, takesText: boolean): ReadText {
  if (text.trim() === "") return { value: undefined, isText: false, problem: null };
  try {
    return { value: JSON.parse(text), isText: false, problem: null };
  } catch (error) {
    // What begins like a list, an object or a text in quotes is meant to be one.
    if (takesText && !/^\s*["[{]/.test(text)) return { value: text, isText: true, problem: null };
    return { value: undefined, isText: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
