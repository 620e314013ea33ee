import type { ButtonHTMLAttributes } from "react";

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> {
  readonly kind?: "primary" | "danger" | "plain";
  readonly size?: "small";
  /** Why it cannot be pressed, as a sentence, shown on hover; absent or null when it can. */
  readonly refusal?: string | null;
  /** What it does is under way. */
  readonly busy?: boolean;
}

/** A button. One that cannot be pressed stays in the order of focus and says why. */
export function Button({ kind, size, refusal = null, busy = false, onClick, title, children, ...rest }: ButtonProps) {
  const off = refusal !== null || busy;
  return (
    <button
      type="button"
      {...rest}
      className="button"
      data-kind={kind}
      data-size={size}
      aria-disabled={off || undefined}
      title={refusal ?? title}
      onClick={(event) => {
        if (off) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? "…" : null}
      {children}
      {refusal !== null && <span className="sr-only"> (not now: {refusal})</span>}
    </button>
  );
}
