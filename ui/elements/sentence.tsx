import { useNow } from "./now.ts";
import { exactText, relativeText } from "./spans.ts";

const TIME = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A sentence of the server's, with its times in the viewer's zone; how far they are from now is shown on hover. */
export function Sentence({ text }: { readonly text: string }) {
  const now = useNow();
  return text.split(TIME).map((part, index) => {
    if (index % 2 === 0) return part;
    const ms = Date.parse(part);
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence do not move.
      <time key={index} dateTime={part} title={relativeText(ms, now)}>
        {exactText(ms)}
      </time>
    );
  });
}
