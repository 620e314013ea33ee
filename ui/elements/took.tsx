import { useNow } from "./now.ts";
import { durationText } from "./spans.ts";

/** How long something took, or has taken by now. */
export function Took({ from, to }: { readonly from: string | null; readonly to: string | null }) {
  return from === null ? <span className="quiet">–</span> : to === null ? <Running from={from} /> : text(from, to);
}

function Running({ from }: { readonly from: string }) {
  return durationText((useNow() - Date.parse(from)) / 1_000);
}

function text(from: string, to: string): string {
  return durationText((Date.parse(to) - Date.parse(from)) / 1_000);
}
