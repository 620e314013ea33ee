import * as Dialog from "@radix-ui/react-dialog";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useState } from "react";
import { useFindings } from "./findings.ts";

/** Goes to a page, a run, or a deployment by a few letters of its name. */
export function CommandPalette({ onClose }: { readonly onClose: () => Promise<void> }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = useFindings(text);
  const chosen = Math.min(at, found.length - 1);
  const open = (index: number): void => {
    const finding = found[index];
    if (!finding) return;
    void onClose().then(() => navigate(finding.to));
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (event.key === "Enter") open(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog.Root open onOpenChange={(next) => next || void onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog palette" aria-describedby={undefined}>
          <Dialog.Title className="sr-only">Find anything</Dialog.Title>
          <input
            className="input"
            role="combobox"
            aria-label="Find pages, runs and deployments"
            aria-expanded="true"
            aria-controls="findings"
            aria-activedescendant={found[chosen] ? `finding-${chosen}` : undefined}
            placeholder="Page, run, deployment, or the id of a run"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setAt(0);
            }}
            onKeyDown={onKey}
          />
          <div id="findings" className="palette-list" role="listbox" aria-label="Found">
            {found.map(({ kind, title, key }, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the input.
              // biome-ignore lint/a11y/useFocusableInteractive: as above.
              <div
                key={key}
                id={`finding-${index}`}
                className="palette-item"
                role="option"
                aria-selected={index === chosen}
                onClick={() => open(index)}
                onPointerMove={() => setAt(index)}
              >
                <span className="cut">{title}</span>
                <span className="quiet small">{kind}</span>
              </div>
            ))}
            {found.length === 0 && <p className="empty">Nothing has this in its name.</p>}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
