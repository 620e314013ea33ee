import { useState } from "react";
import { Button } from "./button.tsx";

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

async function toClipboard(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    // Browsers give no clipboard to pages that are not served by https or from this machine.
    return "Not allowed here";
  }
}
