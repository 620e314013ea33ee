import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { z } from "zod";
import { type DeadLetter, deleteDeadLetter, filterDeadLetters, replayDeadLetter } from "#protocol/dead-letters";
import { FlowRunId } from "#protocol/ids";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { DeleteButton } from "../../components/delete-button.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { When } from "../../elements/when.tsx";

/** What most of them are about. */
const OfRun = z.object({ flow_run_id: FlowRunId });

/** Dispatches that no pool took, for as long as there are any: to be sent again, or forgotten. */
export function DeadLetters() {
  const { data, error } = useQuery({
    ...read(filterDeadLetters, { body: { queue: "dispatch" } }),
    refetchInterval: LIVE_MS * 3,
  });
  const refusal = useRoleRefusal("operator");
  const replay = useMutation({
    mutationFn: ({ id }: DeadLetter) => api.call(replayDeadLetter, { params: { id } }),
  });
  if (error && !data) return <ErrorNote title="What was given up could not be read" error={error} />;
  if (!data || data.length === 0) return null;
  return (
    <section className="panel">
      <h2>Dispatches that were given up</h2>
      <ul className="lines">
        {data.map((letter) => (
          <li key={letter.id}>
            <Subject letter={letter} />
            <span className="row quiet">
              {letter.attempts} attempts, <When at={letter.created} />
              <Button size="small" refusal={refusal} onClick={() => replay.mutate(letter)}>
                Send again
              </Button>
              <DeleteButton
                what="this dispatch"
                consequence="Its run is offered again only when somebody retries it."
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
