import { useState } from "react";
import { createWorkPool, updateWorkPool, type WorkPool } from "#protocol/work-pools";
import { api } from "../../api/client.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { TextField } from "../../components/text-field.tsx";

/** Makes a work pool, or changes one. */
export function PoolForm({ pool, onClose }: { readonly pool: WorkPool | null; readonly onClose: () => void }) {
  const [name, setName] = useState(pool?.name ?? "");
  const [type, setType] = useState(pool?.type ?? "process");
  const [description, setDescription] = useState(pool?.description ?? "");
  const [limit, setLimit] = useState(pool?.concurrency_limit?.toString() ?? "");
  const save = async (): Promise<void> => {
    const concurrency_limit = limit === "" ? null : Number(limit);
    if (pool) await api.call(updateWorkPool, { params: { name: pool.name }, body: { description, concurrency_limit } });
    else await api.call(createWorkPool, { body: { name: name.trim(), type, description, concurrency_limit } });
  };
  return (
    <FormModal title={pool ? `Change ${pool.name}` : "New work pool"} submit="Save" onSubmit={save} onClose={onClose}>
      {pool === null && (
        <>
          <TextField label="Name" required value={name} onChange={setName} />
          <TextField
            label="Type"
            required
            hint="For workers of Sluice “process”, “docker”, “kubernetes” or “ecs”; “http” is pushed to an address and needs none. Workers of Prefect have theirs."
            value={type}
            onChange={setType}
          />
        </>
      )}
      <TextField label="Description" value={description} onChange={setDescription} />
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
