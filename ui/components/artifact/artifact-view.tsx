import type { ReactNode } from "react";
import type { Artifact } from "#protocol/artifacts";
import { JsonView } from "../../elements/json-view.tsx";
import { When } from "../../elements/when.tsx";
import { ArtifactTable } from "./artifact-table.tsx";
import { MarkdownText } from "./markdown-text.tsx";
import { safeUrl } from "./safe-url.ts";

/** One artifact, shown as its type wants it. */
export function ArtifactView({ artifact }: { readonly artifact: Artifact }) {
  return (
    <article className="panel">
      <header className="row spread">
        <h3>{artifact.key ?? artifact.type ?? "Artifact"}</h3>
        <span className="quiet small">
          {artifact.type} · <When at={artifact.updated} />
        </span>
      </header>
      {artifact.description && <p className="quiet">{artifact.description}</p>}
      {content(artifact)}
    </article>
  );
}

function content({ type, data, description }: Artifact): ReactNode {
  if (type === "markdown" && typeof data === "string") {
    return <MarkdownText text={data} />;
  }
  if (type === "table") return <ArtifactTable data={data} />;
  if (type === "progress" && typeof data === "number") {
    return (
      <p className="row">
        <progress max={100} value={data} aria-label={description ?? "Progress"} /> {Math.round(data)} %
      </p>
    );
  }
  const url = typeof data === "string" ? safeUrl(data) : null;
  if (type === "image" && url) return <img src={url} alt={description ?? "Image"} style={{ maxWidth: "100%" }} />;
  if (type === "link" && url) {
    return (
      <a href={url} rel="noreferrer noopener" target="_blank">
        {url}
      </a>
    );
  }
  return <JsonView title="Data" value={data} none="" />;
}
