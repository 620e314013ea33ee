import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { z } from "zod";
import { type DeadLetter, deleteDeadLetter, filterDeadLetters, replayDeadLetter } from "#protocol/dead-letters";
import { FlowRunId } from "#protocol/ids";
import { api } from "../api/client.ts";
import { LIVE_MS, read } from "../api/read.ts";
import { useRoleRefusal } from "../api/session.ts";
import { Button } from "../elements/button.tsx";
import { ErrorNote } from "../elements/error-note.tsx";
import { When } from "../elements/when.tsx";
import { DeleteButton } from "./delete-button.tsx";

/** The most that one read answers. */
export const LETTERS = 200;
/** What most of them are about. */
const OfRun = z.object({ flow_run_id: FlowRunId });

export interface DeadLettersProps {
  readonly title: string;
  readonly note?: string;
  /** Whose messages these are; all of them unless said. */
  readonly queue?: string;
}

export function deadLettersQuery(queue: string | null) {
  return read(filterDeadLetters, { body: { queue, limit: LETTERS } });
}

/** Messages that were given up, for as long as there are any: to be sent again, or forgotten. */
export function DeadLetters({ title, note, queue }: DeadLettersProps) {
  const { data, error } = useQuery({ ...deadLettersQuery(queue ?? null), refetchInterval: LIVE_MS * 3 });
  const refusal = useRoleRefusal("operator");
  const replay = useMutation({
    mutationFn: ({ id }: DeadLetter) => api.call(replayDeadLetter, { params: { id } }),
  });
  if (error && !data) return <ErrorNote title="What was given up could not be read" error={error} />;
  if (!data || data.length === 0) return null;
  return (
    <section className="panel">
      <h2>{title}</h2>
      {note && <p className="quiet">{note}</p>}
      <ul className="lines">
        {data.map((letter) => (
          <li key={letter.id}>
            <Subject letter={letter} />
            <span className="row quiet">
              {queue === undefined && <span className="tag">{letter.queue}</span>}
              {letter.attempts} attempts, <When at={letter.created} />
              <Button size="small" refusal={refusal} onClick={() => replay.mutate(letter)}>
                Send again
              </Button>
              <DeleteButton
                what="this message"
                consequence={
                  letter.queue === "dispatch"
                    ? "Its run is offered again only when somebody retries it."
                    : "What it was to do is not done."
                }
                onDelete={() => api.call(deleteDeadLetter, { params: { id: letter.id } })}
              />
            </span>
          </li>
        ))}
      </ul>
      {replay.error && <ErrorNote error={replay.error} />}
    </section>
  );
}

/** The run that was to be offered, or what was sent, where it is something else. */
function Subject({ letter: { body } }: { readonly letter: DeadLetter }) {
  const ofRun = OfRun.safeParse(body);
  if (!ofRun.success) return <code className="cut">{JSON.stringify(body)}</code>;
  return (
    <Link to="/runs/$runId" params={{ runId: ofRun.data.flow_run_id }} className="cut mono">
      {ofRun.data.flow_run_id}
    </Link>
  );
}
