import { CopyButton } from "./copy-button.tsx";

export interface JsonViewProps {
  readonly title: string;
  readonly value: unknown;
  /** Said in place of an empty object. */
  readonly none: string;
}

/** A value as JSON, to read and to copy. */
export function JsonView({ title, value, none }: JsonViewProps) {
  const text = JSON.stringify(value, null, 2);
  return (
    <section>
      <h3>{title}</h3>
      {text === "{}" && none !== "" ? (
        <p className="quiet">{none}</p>
      ) : (
        <div className="commands">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
          <pre tabIndex={0}>{text}</pre>
          <CopyButton text={text} />
        </div>
      )}
    </section>
  );
}
