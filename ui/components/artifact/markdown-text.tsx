import { lazy, Suspense } from "react";

const Markdown = lazy(() => import("./markdown.tsx").then(({ Markdown }) => ({ default: Markdown })));

/** Markdown; as it was written until its renderer is there. */
export function MarkdownText({ text }: { readonly text: string }) {
  return (
    <Suspense fallback={<div style={{ whiteSpace: "pre-wrap" }}>{text}</div>}>
      <Markdown text={text} />
    </Suspense>
  );
}
