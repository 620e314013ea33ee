import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  createWorkQueue,
  deleteWorkQueue,
  filterWorkQueues,
  updateWorkQueue,
  type WorkQueue,
} from "#protocol/work-pools";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { DeleteButton } from "../../components/delete-button.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { NEW, useOpened } from "../../components/opened.ts";
import { TextField } from "../../components/text-field.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { slotsText } from "../../elements/slots-text.ts";

/** The pool's queues: those with a lower priority number are served first. */
export function Queues({ poolName }: { readonly poolName: string }) {
  const { data, error } = useQuery({
    ...read(filterWorkQueues, { params: { name: poolName }, body: { work_queues: {} } }),
    refetchInterval: LIVE_MS * 2,
  });
  const [open, setOpen] = useOpened();
  const edited = data?.find(({ id }) => id === open);
  const refusal = useRoleRefusal("operator");
  const pause = useMutation({
    mutationFn: ({ name, is_paused }: WorkQueue) =>
      api.call(updateWorkQueue, { params: { name: poolName, queue: name }, body: { is_paused: !is_paused } }),
  });
  return (
    <section className="panel">
      <div className="row spread">
        <h2>Queues</h2>
        <Button size="small" refusal={refusal} onClick={() => setOpen(NEW)}>
          Add a queue
        </Button>
      </div>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="4rem" />}
      <ul className="lines">
        {[...(data ?? [])]
          .sort((a, b) => a.priority - b.priority)
          .map((queue) => (
            <li key={queue.id}>
              <span>
                {queue.name}{" "}
                <span className="quiet">
                  priority {queue.priority}, {slotsText(queue.active_slots, queue.concurrency_limit)}
                  {queue.is_paused && ", paused"}
                </span>
              </span>
              <span className="row">
                <Button size="small" refusal={refusal} onClick={() => pause.mutate(queue)}>
                  {queue.is_paused ? "Go on" : "Pause"}
                </Button>
                <Button size="small" refusal={refusal} onClick={() => setOpen(queue.id)}>
                  Edit
                </Button>
                <DeleteButton
                  what={`the queue ${queue.name}`}
                  onDelete={() => api.call(deleteWorkQueue, { params: { name: poolName, queue: queue.name } })}
                />
              </span>
            </li>
          ))}
      </ul>
      {pause.error && <ErrorNote error={pause.error} />}
      {(edited || open === NEW) && (
        <QueueForm key={open} poolName={poolName} queue={edited ?? null} onClose={() => setOpen(null)} />
      )}
    </section>
  );
}

interface QueueFormProps {
  readonly poolName: string;
  readonly queue: WorkQueue | null;
  readonly onClose: () => void;
}

function QueueForm({ poolName, queue, onClose }: QueueFormProps) {
  const [name, setName] = useState(queue?.name ?? "");
  const [priority, setPriority] = useState(queue?.priority.toString() ?? "");
  const [limit, setLimit] = useState(queue?.concurrency_limit?.toString() ?? "");
  const save = async (): Promise<void> => {
    const body = {
      concurrency_limit: limit === "" ? null : Number(limit),
      ...(priority !== "" && { priority: Number(priority) }),
    };
    if (queue) await api.call(updateWorkQueue, { params: { name: poolName, queue: queue.name }, body });
    else await api.call(createWorkQueue, { params: { name: poolName }, body: { name: name.trim(), ...body } });
  };
  return (
    <FormModal title={queue ? `Change ${queue.name}` : "New queue"} submit="Save" onSubmit={save} onClose={onClose}>
      {queue === null && <TextField label="Name" required value={name} onChange={setName} />}
      <TextField
        label="Priority"
        type="number"
        min={1}
        hint="1 is served first."
        value={priority}
        onChange={setPriority}
      />
      <TextField
        label="Runs at once"
        type="number"
        min={0}
        placeholder="Any number"
        value={limit}
        onChange={setLimit}
      />
    </FormModal>
  );
}
