import { useMutation } from "@tanstack/react-query";
import { useRoleRefusal } from "../../api/session.ts";
import { ConfirmButton } from "../../components/confirm-button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";

export interface RestoreButtonProps {
  readonly number: number;
  readonly onRestore: () => Promise<unknown>;
}

/** Goes back to a version, after asking. */
export function RestoreButton({ number, onRestore }: RestoreButtonProps) {
  const restore = useMutation({ mutationFn: onRestore });
  return (
    <>
      <ConfirmButton
        text="Restore"
        question={`Go back to version ${number}?`}
        consequence="It becomes the newest version; what is there now stays a version, too. Schedules stay as they are."
        size="small"
        refusal={useRoleRefusal("operator")}
        busy={restore.isPending}
        onConfirm={() => restore.mutate()}
      />
      {restore.error && <ErrorNote error={restore.error} />}
    </>
  );
}
