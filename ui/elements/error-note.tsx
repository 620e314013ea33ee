/** What went wrong and what to do about it, shown where it happened. */
import { SluiceError } from "#protocol/errors";
import { ApiUnreachableError } from "../../sdk/client/errors.ts";
import { Button } from "./button.tsx";

export interface ErrorNoteProps {
  readonly error: unknown;
  /** What was tried, e.g. "The runs could not be read". */
  readonly title?: string;
  readonly onRetry?: () => void;
}

export function ErrorNote({ error, title, onRetry }: ErrorNoteProps) {
  const { message, fix } = explain(error);
  return (
    <div className="notice" data-tone="danger" role="alert">
      {title && <h2>{title}</h2>}
      <p>{message}</p>
      {fix && <p className="quiet">{fix}</p>}
      {onRetry && (
        <p>
          <Button size="small" onClick={onRetry}>
            Try again
          </Button>
        </p>
      )}
    </div>
  );
}

function explain(error: unknown): { readonly message: string; readonly fix: string | null } {
  if (error instanceof SluiceError) {
    const issues = error.issues.map(({ loc, msg }) => `${loc.slice(1).join(".")}: ${msg}`);
    return { message: issues.length > 0 ? `${error.message} ${issues.join("; ")}` : error.message, fix: error.fix };
  }
  if (error instanceof ApiUnreachableError) {
    return {
      message: "The server does not answer.",
      fix: "Is it still running? What is shown goes on by itself when it is back; what was being sent has to be sent again.",
    };
  }
  return { message: error instanceof Error ? error.message : String(error), fix: null };
}
