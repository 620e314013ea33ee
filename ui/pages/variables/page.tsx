import { useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { deleteVariable, type Variable } from "#protocol/variables";
import { api } from "../../api/client.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { DeleteButton } from "../../components/delete-button.tsx";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ListPage } from "../../components/list-page.tsx";
import { NEW, useOpened } from "../../components/opened.ts";
import { useRows } from "../../components/rows.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { Button } from "../../elements/button.tsx";
import { When } from "../../elements/when.tsx";
import { VariableForm } from "./variable-form.tsx";
import { variablesQuery } from "./variables-query.ts";

const helper = createColumnHelper<typeof TABLE_FEATURES, Variable>();
const WIDTHS = { name: "24%", tags: "14%", updated: "8rem", actions: "6rem" } as const;

export function VariablesPage() {
  const { name } = useSearch({ from: "/app/variables" });
  const navigate = useNavigate({ from: "/variables" });
  const [open, setOpen] = useOpened();
  const isNamed = open !== undefined && open !== NEW;
  const list = useRows(variablesQuery({ name }), { sought: isNamed ? ({ id }) => id === open : undefined });
  const edited = list.rows?.find(({ id }) => id === open);
  const columns = useMemo(() => variableColumns(({ id }) => setOpen(id)), [setOpen]);
  return (
    <>
      <ListPage
        title="Variables"
        name={name}
        onName={(next) => void navigate({ search: { name: next }, replace: true })}
        list={list}
        columns={columns}
        widths={WIDTHS}
        actions={
          <Button kind="primary" refusal={useRoleRefusal("operator")} onClick={() => setOpen(NEW)}>
            New variable
          </Button>
        }
        empty={
          <p>A variable is a small value by a name, which flows read while they run: a threshold, a list of regions.</p>
        }
      />
      {(edited || open === NEW) && <VariableForm key={open} variable={edited ?? null} onClose={() => setOpen(null)} />}
    </>
  );
}

function variableColumns(edit: (variable: Variable) => void) {
  return helper.columns([
    helper.display({
      id: "name",
      header: "Name",
      cell: ({ row: { original: one } }) => (
        <button type="button" className="link" onClick={() => edit(one)} {...ROW_LINK}>
          {one.name}
        </button>
      ),
    }),
    helper.display({
      id: "value",
      header: "Value",
      cell: ({ row: { original: one } }) => <code>{JSON.stringify(one.value)}</code>,
    }),
    helper.display({ id: "tags", header: "Tags", cell: ({ row: { original: one } }) => one.tags.join(", ") }),
    helper.display({
      id: "updated",
      header: "Changed",
      cell: ({ row: { original: one } }) => <When at={one.updated} />,
    }),
    helper.display({
      id: "actions",
      header: () => <span className="sr-only">Actions</span>,
      cell: ({ row: { original: one } }) => (
        <DeleteButton
          what={`the variable ${one.name}`}
          onDelete={() => api.call(deleteVariable, { params: { id: one.id } })}
        />
      ),
    }),
  ]);
}
