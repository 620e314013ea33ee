import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ErrorNote } from "../elements/error-note.tsx";

/** In place of a page that could not be read. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const { reset: resetQueries } = useQueryErrorResetBoundary();
  const retry = (): void => {
    resetQueries();
    reset();
    void router.invalidate();
  };
  return (
    <main className="page">
      <ErrorNote title="This page could not be shown" error={error} onRetry={retry} />
    </main>
  );
}
