import { type FormEvent, useState } from "react";
import { FILTER } from "./list-keys.ts";

export interface TagsInputProps {
  readonly tags: readonly string[];
  readonly onChange: (tags: string[]) => void;
}

/** Tags that all must be there; Enter adds one, a click takes it away. */
export function TagsInput({ tags, onChange }: TagsInputProps) {
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
          aria-label={`Without the tag ${tag}`}
          onClick={() => onChange(tags.filter((other) => other !== tag))}
        >
          {tag} ✕
        </button>
      ))}
      <input
        className="input"
        style={{ width: "8rem" }}
        placeholder="Tag"
        aria-label="Only with this tag"
        value={text}
        onChange={(event) => setText(event.target.value)}
        {...FILTER}
      />
    </form>
  );
}
