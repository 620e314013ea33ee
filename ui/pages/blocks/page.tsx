import { useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { type BlockDocument, deleteBlockDocument } from "#protocol/block-documents";
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
import { BlockForm } from "./block-form.tsx";
import { blocksQuery } from "./blocks-query.ts";
import { NewBlock } from "./new-block.tsx";

const helper = createColumnHelper<typeof TABLE_FEATURES, BlockDocument>();
/** Before the slug of the type of a new block. */
const NEW_OF_TYPE = "new-";
const WIDTHS = { type: "30%", updated: "9rem", actions: "6rem" } as const;

export function BlocksPage() {
  const { name } = useSearch({ from: "/app/blocks" });
  const navigate = useNavigate({ from: "/blocks" });
  const [open, setOpen] = useOpened();
  const isNamed = open !== undefined && open !== NEW && !open.startsWith(NEW_OF_TYPE);
  const list = useRows(blocksQuery({ name }), { sought: isNamed ? ({ id }) => id === open : undefined });
  const edited = list.rows?.find(({ id }) => id === open);
  const columns = useMemo(() => blockColumns(({ id }) => setOpen(id)), [setOpen]);
  return (
    <>
      <ListPage
        title="Blocks"
        name={name}
        onName={(next) => void navigate({ search: { name: next }, replace: true })}
        list={list}
        columns={columns}
        widths={WIDTHS}
        actions={
          <Button kind="primary" refusal={useRoleRefusal("operator")} onClick={() => setOpen(NEW)}>
            New block
          </Button>
        }
        empty={
          <p>A block is configuration by a name, with its secrets encrypted: credentials, a bucket, a web hook.</p>
        }
      />
      {(open === NEW || open?.startsWith(NEW_OF_TYPE)) && (
        <NewBlock
          slug={open === NEW ? null : open.slice(NEW_OF_TYPE.length)}
          onChoose={(slug) => setOpen(`${NEW_OF_TYPE}${slug}`)}
          onClose={() => setOpen(null)}
        />
      )}
      {edited?.block_schema && (
        <BlockForm key={open} schema={edited.block_schema} document={edited} onClose={() => setOpen(null)} />
      )}
    </>
  );
}

function blockColumns(edit: (block: BlockDocument) => void) {
  return helper.columns([
    helper.display({
      id: "name",
      header: "Block",
      cell: ({ row: { original: one } }) => (
        <button type="button" className="link" onClick={() => edit(one)} {...ROW_LINK}>
          {one.name}
        </button>
      ),
    }),
    helper.display({
      id: "type",
      header: "Type",
      cell: ({ row: { original: one } }) => one.block_type?.name ?? one.block_type_name,
    }),
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
          what={`the block ${one.name}`}
          consequence="References to it disappear."
          onDelete={() => api.call(deleteBlockDocument, { params: { id: one.id } })}
        />
      ),
    }),
  ]);
}
