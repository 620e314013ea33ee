import { useQuery } from "@tanstack/react-query";
import type { DeadLetter } from "#protocol/dead-letters";
import { readHealth, readReady } from "#protocol/server";
import { LIVE_MS, read } from "../../api/read.ts";
import { deadLettersQuery, LETTERS } from "../../components/dead-letters.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";

/** Whether the server does its work: what load balancers ask, and what it had to give up. */
export function Health() {
  const health = useQuery({ ...read(readHealth, {}), refetchInterval: LIVE_MS * 3 });
  const ready = useQuery({ ...read(readReady, {}), refetchInterval: LIVE_MS * 3 });
  const letters = useQuery({ ...deadLettersQuery(null), refetchInterval: LIVE_MS * 3 });
  return (
    <section className="panel">
      <h2>Health</h2>
      <dl className="details">
        <dt>Requests</dt>
        <dd>{answer(health, "are served")}</dd>
        <dt>Database</dt>
        <dd>{answer(ready, "ready, with this version's schema")}</dd>
        <dt>Messages given up</dt>
        <dd>{letters.data ? byQueue(letters.data) : answer(letters, "")}</dd>
      </dl>
      {health.error && <ErrorNote title="Requests are not served" error={health.error} />}
      {ready.error && <ErrorNote title="The database is not ready" error={ready.error} />}
      {letters.error && <ErrorNote title="What was given up could not be read" error={letters.error} />}
    </section>
  );
}

function answer({ isSuccess, isError }: { readonly isSuccess: boolean; readonly isError: boolean }, good: string) {
  if (isError) return <strong className="warning-text">see below</strong>;
  return isSuccess ? good : "…";
}

/** "3 of dispatch, 1 of pushes". */
function byQueue(letters: readonly DeadLetter[]) {
  if (letters.length === 0) return "none";
  const queues = [...new Set(letters.map(({ queue }) => queue))].sort();
  const counts = queues.map((name) => `${letters.filter(({ queue }) => queue === name).length} of ${name}`);
  const text = counts.join(", ");
  return (
    <strong className="warning-text">{letters.length < LETTERS ? text : `${text} among the latest ${LETTERS}`}</strong>
  );
}
