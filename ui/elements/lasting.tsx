import { useNow } from "./now.ts";
import { durationText, exactText } from "./spans.ts";

/** How long something has gone on: `for 4 s`. When it began is shown on hover. */
export function Lasting({ from }: { readonly from: string | null }) {
  const now = useNow();
  if (from === null) return null;
  const ms = Date.parse(from);
  const seconds = Math.max(0, (now - ms) / 1_000);
  return (
    <time dateTime={from} title={exactText(ms)}>
      for {seconds < 10 ? `${Math.floor(seconds)} s` : durationText(seconds)}
    </time>
  );
}
