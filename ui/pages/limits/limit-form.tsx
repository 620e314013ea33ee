import { useState } from "react";
import {
  createConcurrencyLimitV2,
  type GlobalConcurrencyLimit,
  updateConcurrencyLimitV2,
} from "#protocol/concurrency-limits";
import { api } from "../../api/client.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { TextField } from "../../components/text-field.tsx";

export interface LimitFormProps {
  /** Null makes a new one. */
  readonly limit: GlobalConcurrencyLimit | null;
  readonly onClose: () => void;
}

export function LimitForm({ limit, onClose }: LimitFormProps) {
  const [name, setName] = useState(limit?.name ?? "");
  const [slots, setSlots] = useState(limit?.limit.toString() ?? "1");
  const [rate, setRate] = useState(limit && limit.slot_decay_per_second > 0 ? String(limit.slot_decay_per_second) : "");
  const [active, setActive] = useState(limit?.active ?? true);
  const save = async (): Promise<void> => {
    const body = { name: name.trim(), limit: Number(slots), slot_decay_per_second: Number(rate || 0), active };
    if (limit) await api.call(updateConcurrencyLimitV2, { params: { id_or_name: limit.id }, body });
    else await api.call(createConcurrencyLimitV2, { body });
  };
  return (
    <FormModal title={limit ? `Change ${limit.name}` : "New limit"} submit="Save" onSubmit={save} onClose={onClose}>
      <TextField label="Name" required value={name} onChange={setName} />
      <TextField label="Slots" type="number" min={0} required value={slots} onChange={setSlots} />
      <TextField
        label="Slots that come back each second"
        type="number"
        min={0}
        step="any"
        hint="Makes it a rate limit. Empty: slots are held until they are given back."
        value={rate}
        onChange={setRate}
      />
      <label className="check">
        <input type="checkbox" checked={active} onChange={({ target }) => setActive(target.checked)} /> Active
      </label>
    </FormModal>
  );
}
