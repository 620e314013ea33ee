import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import type { DeploymentId } from "#protocol/ids";
import type { Webhook } from "#protocol/webhooks";
import { useDeploymentNames } from "../../api/names.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ListPage } from "../../components/list-page.tsx";
import { NEW, useOpened } from "../../components/opened.ts";
import { useRows } from "../../components/rows.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { Button } from "../../elements/button.tsx";
import { Commands } from "../../elements/commands.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";
import { When } from "../../elements/when.tsx";
import { VERIFICATIONS } from "./verification.ts";
import { WebhookForm } from "./webhook-form.tsx";
import { webhooksQuery } from "./webhooks-query.ts";

const helper = createColumnHelper<typeof TABLE_FEATURES, Webhook>();
const WIDTHS = { deployment: "24%", verification: "16%", active: "6rem", updated: "9rem" } as const;

export function WebhooksPage() {
  const { name } = useSearch({ from: "/app/webhooks" });
  const navigate = useNavigate({ from: "/webhooks" });
  const [open, setOpen] = useOpened();
  // The API lists webhooks without a filter.
  const list = useRows(webhooksQuery, { fits: name ? ({ slug }) => slug.includes(name) : undefined });
  const deployments = useDeploymentNames((list.rows ?? []).map(({ deployment_id }) => deployment_id));
  const columns = useMemo(() => webhookColumns(deployments), [deployments]);
  return (
    <>
      <ListPage
        title="Webhooks"
        name={name}
        onName={(next) => void navigate({ search: { name: next }, replace: true })}
        list={list}
        columns={columns}
        widths={WIDTHS}
        actions={
          <Button kind="primary" refusal={useRoleRefusal("operator")} onClick={() => setOpen(NEW)}>
            New webhook
          </Button>
        }
        empty={
          <div className="stack">
            <p>
              A webhook is an address at which somebody else's system starts runs of a deployment: GitHub, Stripe,
              Slack, or whatever can send a request and sign it.
            </p>
            <Commands lines={[onThisServer("sluice webhook create FLOW/DEPLOYMENT --verify github --slug pushes")]} />
          </div>
        }
      />
      {open === NEW && <WebhookForm webhook={null} onClose={() => setOpen(null)} />}
    </>
  );
}

function webhookColumns(deployments: ReadonlyMap<DeploymentId, string>) {
  return helper.columns([
    helper.display({
      id: "slug",
      header: "Webhook",
      cell: ({ row: { original: one } }) => (
        <Link to="/webhooks/$slug" params={{ slug: one.slug }} {...ROW_LINK}>
          {one.slug}
        </Link>
      ),
    }),
    helper.display({
      id: "deployment",
      header: "Starts runs of",
      cell: ({ row: { original: one } }) => (
        <Link to="/deployments/$deploymentId" params={{ deploymentId: one.deployment_id }}>
          {deployments.get(one.deployment_id) ?? one.deployment_id}
        </Link>
      ),
    }),
    helper.display({
      id: "verification",
      header: "Sender",
      cell: ({ row: { original: one } }) => VERIFICATIONS[one.verification.type],
    }),
    helper.display({
      id: "active",
      header: "Active",
      cell: ({ row: { original: one } }) => (one.active ? "yes" : "no"),
    }),
    helper.display({
      id: "updated",
      header: "Changed",
      cell: ({ row: { original: one } }) => <When at={one.updated} />,
    }),
  ]);
}
