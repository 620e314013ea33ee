import { useState } from "react";
import { Button } from "../elements/button.tsx";
import { Modal } from "../elements/modal.tsx";

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
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button
        {...(kind ? { kind } : {})}
        {...(size ? { size } : {})}
        refusal={refusal}
        busy={busy}
        onClick={() => setAsking(true)}
      >
        {text}
      </Button>
      <Modal
        open={isAsking}
        onClose={() => setAsking(false)}
        title={question}
        {...(consequence ? { description: consequence } : {})}
      >
        <div className="dialog-actions">
          <Button onClick={() => setAsking(false)}>Leave it</Button>
          <Button
            kind={kind ?? "primary"}
            onClick={() => {
              setAsking(false);
              onConfirm();
            }}
          >
            {text}
          </Button>
        </div>
      </Modal>
    </>
  );
}
