import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useFlowNames } from "../../api/names.ts";
import { LateInput } from "../../components/late-input.tsx";
import { FILTER } from "../../components/list-keys.ts";
import { useRows } from "../../components/rows.ts";
import { TagsInput } from "../../components/tags-input.tsx";
import { VirtualTable } from "../../components/virtual-table.tsx";
import { Commands } from "../../elements/commands.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";
import { Skeleton } from "../../elements/skeleton.tsx";
import { useTitle } from "../../elements/title.ts";
import { deploymentColumns, WIDTHS } from "./columns.tsx";
import { type DeploymentsSearch, deploymentsQuery } from "./deployments-query.ts";

export function DeploymentsPage() {
  useTitle("Deployments");
  const search = useSearch({ from: "/app/deployments" });
  const navigate = useNavigate({ from: "/deployments" });
  const change = (next: DeploymentsSearch): void => void navigate({ search: next, replace: true });
  return (
    <main className="page stack">
      <div className="page-head" style={{ margin: 0 }}>
        <h1>Deployments</h1>
        <search className="row">
          <div style={{ width: "16rem" }}>
            <LateInput
              label="Name of the deployment or flow"
              placeholder="Name  ( / )"
              value={search.name ?? ""}
              onChange={(name) => change({ ...search, name: name || undefined })}
              {...FILTER}
            />
          </div>
          <TagsInput
            tags={search.tags ?? []}
            onChange={(tags) => change({ ...search, tags: tags.length ? tags : undefined })}
          />
        </search>
      </div>
      <Deployments search={search} />
    </main>
  );
}

function Deployments({ search }: { readonly search: DeploymentsSearch }) {
  const { rows, total, error, onRetry, onEnd } = useRows(deploymentsQuery(search));
  const flows = useFlowNames((rows ?? []).map(({ flow_id }) => flow_id));
  const columns = useMemo(() => deploymentColumns(flows), [flows]);
  if (error && !rows) return <ErrorNote title="The deployments could not be read" error={error} onRetry={onRetry} />;
  if (!rows) return <Skeleton height="60vh" />;
  if (rows.length === 0)
    return search.name || search.tags ? <p className="panel empty">No deployment is like this.</p> : <NoDeployments />;
  return (
    <VirtualTable
      label="Deployments"
      rows={rows}
      total={total}
      columns={columns}
      widths={WIDTHS}
      minWidth="48rem"
      onEnd={onEnd}
    />
  );
}

function NoDeployments() {
  return (
    <section className="panel stack">
      <h2>There is no deployment yet</h2>
      <p>
        A deployment is a flow that can be run from here, by schedule, or by a request. This makes one of a flow that a
        file exports, for the workers of a pool:
      </p>
      <Commands lines={[onThisServer("sluice deploy flows.ts:hello --name now --pool local")]} />
      <p>
        A program makes one with <code>await hello.serve({'{ name: "now" }'})</code>, which also takes its runs, or with{" "}
        <code>hello.deploy(…)</code>; <code>prefect deploy</code> makes them, too. <code>npm run demo</code>, in a clone
        of the repository, shows it all with a server of its own.
      </p>
    </section>
  );
}
