/** Loaded when there is Markdown to show. What a run wrote is not trusted: scripts, forms and styles are taken out. */
import DOMPurify from "dompurify";
import { marked } from "marked";
import { useMemo } from "react";

const FORBIDDEN = { FORBID_TAGS: ["style", "form", "input", "iframe"], FORBID_ATTR: ["style"] };

export function Markdown({ text }: { readonly text: string }) {
  const html = useMemo(() => DOMPurify.sanitize(marked.parse(text, { async: false, gfm: true }), FORBIDDEN), [text]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: it was sanitised in the line above.
  return <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}
