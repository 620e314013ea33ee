import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import type { ArtifactCollection } from "#protocol/artifacts";
import type { FlowRunId } from "#protocol/ids";
import { useRunNames } from "../../api/names.ts";
import { ArtifactVersions } from "../../components/artifact/artifact-versions.tsx";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ListPage } from "../../components/list-page.tsx";
import { useOpened } from "../../components/opened.ts";
import { useRows } from "../../components/rows.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { When } from "../../elements/when.tsx";
import { artifactsQuery } from "./artifacts-query.ts";

const helper = createColumnHelper<typeof TABLE_FEATURES, ArtifactCollection>();
const WIDTHS = { key: "26%", type: "8rem", run: "11rem", updated: "9rem" } as const;

export function ArtifactsPage() {
  const { name } = useSearch({ from: "/app/artifacts" });
  const navigate = useNavigate({ from: "/artifacts" });
  const [shown, setShown] = useOpened();
  const list = useRows(artifactsQuery({ name }));
  const names = useRunNames((list.rows ?? []).map(({ flow_run_id }) => flow_run_id));
  const columns = useMemo(() => artifactColumns(setShown, names), [setShown, names]);
  return (
    <>
      <ListPage
        title="Artifacts"
        name={name}
        onName={(next) => void navigate({ search: { name: next }, replace: true })}
        list={list}
        columns={columns}
        widths={WIDTHS}
        empty={
          <p>
            Runs leave artifacts for people to look at, such as a report: <code>artifacts.markdown(…)</code>. Those with
            one key are versions of one thing, and the latest stands here.
          </p>
        }
      />
      {shown && <ArtifactVersions artifactKey={shown} onClose={() => setShown(null)} />}
    </>
  );
}

function artifactColumns(show: (key: string) => void, names: ReadonlyMap<FlowRunId, string>) {
  return helper.columns([
    helper.display({
      id: "key",
      header: "Key",
      cell: ({ row: { original: one } }) => (
        <button type="button" className="link" onClick={() => show(one.key)} {...ROW_LINK}>
          {one.key}
        </button>
      ),
    }),
    helper.display({ id: "type", header: "Type", cell: ({ row: { original: one } }) => one.type }),
    helper.display({ id: "description", header: "Description", cell: ({ row: { original: one } }) => one.description }),
    helper.display({
      id: "run",
      header: "Left by",
      cell: ({ row: { original: one } }) =>
        one.flow_run_id && (
          <Link to="/runs/$runId" params={{ runId: one.flow_run_id }} search={{ tab: "artifacts" }}>
            {names.get(one.flow_run_id) ?? "its run"}
          </Link>
        ),
    }),
    helper.display({
      id: "updated",
      header: "Changed",
      cell: ({ row: { original: one } }) => <When at={one.updated} />,
    }),
  ]);
}
