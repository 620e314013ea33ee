import { CopyButton } from "./copy-button.tsx";

/** Commands to type in a shell. */
export function Commands({ lines }: { readonly lines: readonly string[] }) {
  const text = lines.join("\n");
  return (
    <div className="commands">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
      <pre tabIndex={0}>{text}</pre>
      <CopyButton text={text} />
    </div>
  );
}
