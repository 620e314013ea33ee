import { useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { deleteConcurrencyLimitV2, type GlobalConcurrencyLimit } from "#protocol/concurrency-limits";
import { DeploymentId } from "#protocol/ids";
import { api } from "../../api/client.ts";
import { useDeploymentNames } from "../../api/names.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { DeleteButton } from "../../components/delete-button.tsx";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ListPage } from "../../components/list-page.tsx";
import { NEW, useOpened } from "../../components/opened.ts";
import { useRows } from "../../components/rows.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { Button } from "../../elements/button.tsx";
import { LimitForm } from "./limit-form.tsx";
import { limitsQuery } from "./limits-query.ts";
import { Occupancy } from "./occupancy.tsx";

const helper = createColumnHelper<typeof TABLE_FEATURES, GlobalConcurrencyLimit>();
/** Before the id of the limit whose holders are shown. */
const HOLDERS = "holders-";
/** Before the id of the deployment, in the name of its limit. */
const OF_DEPLOYMENT = "deployment:";
const WIDTHS = { slots: "11rem", rate: "9rem", active: "5rem", actions: "9rem" } as const;

export function LimitsPage() {
  const { name } = useSearch({ from: "/app/limits" });
  const navigate = useNavigate({ from: "/limits" });
  const [open, setOpen] = useOpened();
  const isOpen = ({ id }: GlobalConcurrencyLimit): boolean => id === open || `${HOLDERS}${id}` === open;
  const list = useRows(limitsQuery, {
    // The API lists limits without a filter.
    fits: name ? (limit) => limit.name.includes(name) : undefined,
    sought: open && open !== NEW ? isOpen : undefined,
  });
  const edited = list.rows?.find(({ id }) => id === open);
  const shown = list.rows?.find(({ id }) => `${HOLDERS}${id}` === open);
  const names = useDeploymentNames((list.rows ?? []).map(deploymentOf));
  const columns = useMemo(
    () =>
      limitColumns(
        (limit) => titleOf(limit, names),
        ({ id }) => setOpen(`${HOLDERS}${id}`),
        ({ id }) => setOpen(id),
      ),
    [setOpen, names],
  );
  return (
    <>
      <ListPage
        title="Concurrency limits"
        name={name}
        onName={(next) => void navigate({ search: { name: next }, replace: true })}
        list={list}
        columns={columns}
        widths={WIDTHS}
        actions={
          <Button kind="primary" refusal={useRoleRefusal("operator")} onClick={() => setOpen(NEW)}>
            New limit
          </Button>
        }
        empty={
          <p>
            A limit says how many things may happen at once, or each second, wherever they run: calls of an API, say.
          </p>
        }
      />
      {shown && <Occupancy name={shown.name} title={titleOf(shown, names)} onClose={() => setOpen(null)} />}
      {(edited || open === NEW) && <LimitForm key={open} limit={edited ?? null} onClose={() => setOpen(null)} />}
    </>
  );
}

/** The deployment whose runs a limit bounds, as its name has it. */
function deploymentOf({ name }: GlobalConcurrencyLimit): DeploymentId | null {
  const id = DeploymentId.safeParse(name.startsWith(OF_DEPLOYMENT) ? name.slice(OF_DEPLOYMENT.length) : null);
  return id.success ? id.data : null;
}

function titleOf(limit: GlobalConcurrencyLimit, names: ReadonlyMap<DeploymentId, string>): string {
  const deployment = deploymentOf(limit);
  const name = deployment && names.get(deployment);
  return name ? `runs of ${name}` : limit.name;
}

function limitColumns(
  title: (limit: GlobalConcurrencyLimit) => string,
  show: (limit: GlobalConcurrencyLimit) => void,
  edit: (limit: GlobalConcurrencyLimit) => void,
) {
  return helper.columns([
    helper.display({
      id: "name",
      header: "Limit",
      cell: ({ row: { original: one } }) => (
        <button
          type="button"
          className="link"
          title="Who holds its slots, and who waits"
          onClick={() => show(one)}
          {...ROW_LINK}
        >
          {title(one)}
        </button>
      ),
    }),
    helper.display({
      id: "slots",
      header: "Slots taken",
      cell: ({ row: { original: one } }) => (
        <span className="row">
          <meter min={0} max={Math.max(1, one.limit)} value={one.active_slots} aria-label="Slots taken" />{" "}
          {one.active_slots} of {one.limit}
        </span>
      ),
    }),
    helper.display({
      id: "rate",
      header: "Rate",
      cell: ({ row: { original: one } }) =>
        one.slot_decay_per_second > 0 ? `${one.slot_decay_per_second} each second` : "",
    }),
    helper.display({
      id: "active",
      header: "Active",
      cell: ({ row: { original: one } }) => (one.active ? "yes" : "no"),
    }),
    helper.display({
      id: "actions",
      header: () => <span className="sr-only">Actions</span>,
      cell: ({ row: { original: one } }) => (
        <span className="row" style={{ flexWrap: "nowrap" }}>
          <Button size="small" onClick={() => edit(one)}>
            Edit
          </Button>
          <DeleteButton
            what={`the limit ${one.name}`}
            onDelete={() => api.call(deleteConcurrencyLimitV2, { params: { id_or_name: one.id } })}
          />
        </span>
      ),
    }),
  ]);
}
