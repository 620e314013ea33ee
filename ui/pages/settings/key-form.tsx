import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createKey, KEY_ROLES, type KeyRole } from "#protocol/access";
import { api } from "../../api/client.ts";
import { TextField } from "../../components/text-field.tsx";
import { Button } from "../../elements/button.tsx";
import { Commands } from "../../elements/commands.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";

/** Makes a key and shows it, this once. */
export function KeyForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<KeyRole>("worker");
  const make = useMutation({ mutationFn: () => api.call(createKey, { body: { name: name.trim(), role } }) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  if (make.data) {
    return (
      <Modal
        open
        onClose={onClose}
        title={`The key ${make.data.name}`}
        description="Copy it now: it is not shown again."
      >
        <Commands lines={[make.data.key]} />
      </Modal>
    );
  }
  return (
    <Modal open onClose={onClose} title="New key">
      <form className="stack" onSubmit={submit}>
        <TextField label="Name" required value={name} onChange={setName} />
        <label className="field">
          <span>Role</span>
          <select className="select" value={role} onChange={({ target }) => setRole(target.value as KeyRole)}>
            {KEY_ROLES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        {make.error && <ErrorNote error={make.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={make.isPending}>
            Make it
          </Button>
        </div>
      </form>
    </Modal>
  );
}
