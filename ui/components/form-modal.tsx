import { useMutation } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { Button } from "../elements/button.tsx";
import { ErrorNote } from "../elements/error-note.tsx";
import { Modal } from "../elements/modal.tsx";

export interface FormModalProps {
  readonly title: string;
  readonly submit: string;
  /** Closes the form when it succeeds; what it throws is shown. */
  readonly onSubmit: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A form over the page. */
export function FormModal({ title, submit, onSubmit, onClose, children }: FormModalProps) {
  const send = useMutation({ mutationFn: onSubmit, onSuccess: onClose });
  const onForm = (event: FormEvent): void => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <Modal open onClose={onClose} title={title}>
      <form className="stack" onSubmit={onForm}>
        {children}
        {send.error && <ErrorNote error={send.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={send.isPending}>
            {submit}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
