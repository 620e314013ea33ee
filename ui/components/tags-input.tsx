import { type FormEvent, useId, useState } from "react";
import { FILTER } from "./list-keys.ts";

export interface TagsInputProps {
  readonly tags: readonly string[];
  readonly onChange: (tags: string[]) => void;
  /** What the field is for. */
  readonly label?: string;
  readonly placeholder?: string;
  /** What the browser offers while one is typed; others are taken, too. */
  readonly suggestions?: readonly string[];
  /** Whether `/` goes here. */
  readonly isFilter?: boolean;
}

/** Tags, by default those that all must be there; Enter adds one, a click takes it away. */
export function TagsInput({
  tags,
  onChange,
  label = "Only with this tag",
  placeholder = "Tag",
  suggestions,
  isFilter = true,
}: TagsInputProps) {
  const id = useId();
  const [text, setText] = useState("");
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const tag = text.trim();
    setText("");
    if (tag !== "" && !tags.includes(tag)) onChange([...tags, tag]);
  };
  return (
    <form className="row" onSubmit={add}>
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          className="button"
          data-size="small"
          aria-label={`Take ${tag} away`}
          onClick={() => onChange(tags.filter((other) => other !== tag))}
        >
          {tag} ✕
        </button>
      ))}
      <input
        className="input"
        style={{ minWidth: "8rem", width: `${placeholder.length + 5}ch` }}
        placeholder={placeholder}
        aria-label={label}
        list={suggestions && id}
        value={text}
        onChange={(event) => setText(event.target.value)}
        {...(isFilter ? FILTER : {})}
      />
      {suggestions && (
        <datalist id={id}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </form>
  );
}
