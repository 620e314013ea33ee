import { Button } from "../elements/button.tsx";
import { Modal } from "../elements/modal.tsx";
import { useAsked } from "./asked.ts";

export interface ConfirmButtonProps {
  readonly text: string;
  /** E.g. "Delete 3 runs?" */
  readonly question: string;
  /** What follows from it, where that is not plain. */
  readonly consequence?: string;
  readonly kind?: "danger" | undefined;
  readonly size?: "small";
  readonly refusal?: string | null;
  readonly busy?: boolean;
  readonly onConfirm: () => void;
}

/** A button that asks before it does anything. */
export function ConfirmButton({
  text,
  question,
  consequence,
  kind,
  size,
  refusal = null,
  busy = false,
  onConfirm,
}: ConfirmButtonProps) {
  const { isAsked, ask, close } = useAsked();
  return (
    <>
      <Button {...(kind ? { kind } : {})} {...(size ? { size } : {})} refusal={refusal} busy={busy} onClick={ask}>
        {text}
      </Button>
      <Modal
        open={isAsked}
        onClose={() => void close()}
        title={question}
        {...(consequence ? { description: consequence } : {})}
      >
        <div className="dialog-actions">
          <Button onClick={() => void close()}>Leave it</Button>
          <Button kind={kind ?? "primary"} onClick={() => void close().then(onConfirm)}>
            {text}
          </Button>
        </div>
      </Modal>
    </>
  );
}
