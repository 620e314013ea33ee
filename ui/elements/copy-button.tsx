import { useState } from "react";
import { Button } from "./button.tsx";
import { toClipboard } from "./clipboard.ts";

const THANKS_MS = 1_500;

/** Copies a text, and says that it did. */
export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    setSaid(await toClipboard(text));
    setTimeout(() => setSaid(null), THANKS_MS);
  };
  return (
    <Button size="small" onClick={() => void copy()}>
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  );
}
