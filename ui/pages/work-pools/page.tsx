import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { WorkPool } from "#protocol/work-pools";
import { useRoleRefusal } from "../../api/session.ts";
import { DeadLetters } from "../../components/dead-letters.tsx";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ListPage } from "../../components/list-page.tsx";
import { NEW, useOpened } from "../../components/opened.ts";
import { useRows } from "../../components/rows.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { Button } from "../../elements/button.tsx";
import { Commands } from "../../elements/commands.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";
import { slotsText } from "../../elements/slots-text.ts";
import { When } from "../../elements/when.tsx";
import { PoolForm } from "./pool-form.tsx";
import { PoolStatus } from "./pool-status.tsx";
import { poolsQuery } from "./pools-query.ts";

const helper = createColumnHelper<typeof TABLE_FEATURES, WorkPool>();
const WIDTHS = { status: "10rem", type: "10rem", slots: "9rem", updated: "9rem" } as const;
const COLUMNS = helper.columns([
  helper.display({
    id: "name",
    header: "Work pool",
    cell: ({ row: { original: pool } }) => (
      <Link to="/work-pools/$poolName" params={{ poolName: pool.name }} {...ROW_LINK}>
        {pool.name}
      </Link>
    ),
  }),
  helper.display({
    id: "status",
    header: "Status",
    cell: ({ row: { original: pool } }) => <PoolStatus status={pool.status} />,
  }),
  helper.display({ id: "type", header: "Type", cell: ({ row: { original: pool } }) => pool.type }),
  helper.display({
    id: "slots",
    header: "Slots taken",
    cell: ({ row: { original: pool } }) => slotsText(pool.active_slots, pool.concurrency_limit),
  }),
  helper.display({
    id: "updated",
    header: "Changed",
    cell: ({ row: { original: pool } }) => <When at={pool.updated} />,
  }),
]);

export function WorkPoolsPage() {
  const { name } = useSearch({ from: "/app/work-pools" });
  const navigate = useNavigate({ from: "/work-pools" });
  const [open, setOpen] = useOpened();
  return (
    <>
      <ListPage
        title="Work pools"
        name={name}
        onName={(next) => void navigate({ search: { name: next }, replace: true })}
        list={useRows(poolsQuery({ name }))}
        columns={COLUMNS}
        below={<DeadLetters queue="dispatch" title="Dispatches that were given up" />}
        widths={WIDTHS}
        actions={
          <Button kind="primary" refusal={useRoleRefusal("operator")} onClick={() => setOpen(NEW)}>
            New work pool
          </Button>
        }
        empty={
          <div className="stack">
            <p>A work pool hands runs of deployments to the workers that are connected to it.</p>
            <Commands
              lines={["sluice work-pool create local --type process", "sluice worker start --pool local"].map(
                onThisServer,
              )}
            />
          </div>
        }
      />
      {open === NEW && <PoolForm pool={null} onClose={() => setOpen(null)} />}
    </>
  );
}
