import { useNow } from "./now.ts";
import { exactText, relativeText } from "./spans.ts";

/** An instant, relative to now; the exact time is shown on hover. */
export function When({ at, fallback = "–" }: { readonly at: string | null; readonly fallback?: string }) {
  const now = useNow();
  if (at === null) return <span className="quiet">{fallback}</span>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exactText(ms)}>
      {relativeText(ms, now)}
    </time>
  );
}
