import { useMutation } from "@tanstack/react-query";
import { useRoleRefusal } from "../api/session.ts";
import { ErrorNote } from "../elements/error-note.tsx";
import { ConfirmButton } from "./confirm-button.tsx";

export interface DeleteButtonProps {
  /** Default: "Delete". */
  readonly text?: string;
  /** E.g. "the variable threshold". */
  readonly what: string;
  readonly consequence?: string;
  readonly onDelete: () => Promise<unknown>;
}

/** Deletes one thing, after asking. */
export function DeleteButton({ text = "Delete", what, consequence, onDelete }: DeleteButtonProps) {
  const remove = useMutation({ mutationFn: onDelete });
  return (
    <>
      <ConfirmButton
        text={text}
        question={`${text} ${what}?`}
        {...(consequence ? { consequence } : {})}
        kind="danger"
        size="small"
        refusal={useRoleRefusal("operator")}
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
      {remove.error && <ErrorNote error={remove.error} />}
    </>
  );
}
