import type { ColumnDef } from "@tanstack/react-table";
import type { ReactNode } from "react";
import { ErrorNote } from "../elements/error-note.tsx";
import { Skeleton } from "../elements/skeleton.tsx";
import { useTitle } from "../elements/title.ts";
import { LateInput } from "./late-input.tsx";
import { FILTER } from "./list-keys.ts";
import type { Rows } from "./rows.ts";
import { type TABLE_FEATURES, VirtualTable } from "./virtual-table.tsx";

export interface ListPageProps<Row extends { readonly id: string }> {
  readonly title: string;
  /** Part of the name that is looked for, and how it is changed. */
  readonly name: string | undefined;
  readonly onName: (name: string | undefined) => void;
  readonly list: Rows<Row>;
  readonly columns: ColumnDef<typeof TABLE_FEATURES, Row, unknown>[];
  readonly widths: Readonly<Record<string, string>>;
  /** Buttons beside the title. */
  readonly actions?: ReactNode;
  /** What stands below the list. */
  readonly below?: ReactNode;
  /** What this is for and how one is made, where there is none. */
  readonly empty: ReactNode;
}

/** A page that lists things of one kind: query, filter, error, empty state and table, the same everywhere. */
export function ListPage<Row extends { readonly id: string }>(props: ListPageProps<Row>) {
  const { title, name, onName, list, columns, widths, actions, below, empty } = props;
  useTitle(title);
  const { rows, total, error, onRetry, onEnd } = list;
  return (
    <main className="page stack">
      <div className="page-head" style={{ margin: 0 }}>
        <h1>{title}</h1>
        <div className="row">
          <search style={{ width: "16rem" }}>
            <LateInput
              label="Name"
              placeholder="Name  ( / )"
              value={name ?? ""}
              onChange={(text) => onName(text || undefined)}
              {...FILTER}
            />
          </search>
          {actions}
        </div>
      </div>
      {error && !rows && <ErrorNote title={`${title} could not be read`} error={error} onRetry={onRetry} />}
      {!rows && !error && <Skeleton height="60vh" />}
      {rows?.length === 0 &&
        (name ? <p className="panel empty">None has this in its name.</p> : <div className="panel empty">{empty}</div>)}
      {rows && rows.length > 0 && (
        <VirtualTable
          label={title}
          rows={rows}
          total={total}
          columns={columns}
          widths={widths}
          minWidth="48rem"
          onEnd={onEnd}
        />
      )}
      {below}
    </main>
  );
}
