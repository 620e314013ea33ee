/** A table of which only the rows in sight are in the page, however many there are. */
import {
  type ColumnDef,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

export const TABLE_FEATURES = tableFeatures({ rowSelectionFeature });
const ROW_PX = 34;
const HEAD_PX = 32;
const OVERSCAN = 12;

interface Identified {
  readonly id: string;
}

export interface VirtualTableProps<Row extends Identified> {
  readonly label: string;
  readonly rows: Row[];
  /** In all, as far as it is known. */
  readonly total: number | null;
  readonly columns: ColumnDef<typeof TABLE_FEATURES, Row, unknown>[];
  /** Width of each column by its id, as CSS has it; the others share what is left. */
  readonly widths: Readonly<Record<string, string>>;
  /** Least width of the table, below which it is scrolled sideways. */
  readonly minWidth: string;
  readonly selection?: RowSelectionState;
  readonly onSelection?: (next: RowSelectionState) => void;
  /** The end is near. */
  readonly onEnd?: () => void;
  /** CSS; by default what is left of the window. */
  readonly maxHeight?: string;
}

const NONE: RowSelectionState = {};

export function VirtualTable<Row extends Identified>(props: VirtualTableProps<Row>) {
  const { label, rows, total, columns, widths, minWidth, selection = NONE, onSelection, onEnd } = props;
  const table = useTable({
    features: TABLE_FEATURES,
    data: rows,
    columns,
    getRowId: (row) => row.id,
    state: { rowSelection: selection },
    onRowSelectionChange: (update) => onSelection?.(typeof update === "function" ? update(selection) : update),
  });
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollPaddingStart: HEAD_PX,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 1) onEnd?.();
  }, [last, rows.length, onEnd]);
  const model = table.getRowModel().rows;
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <section
      ref={scroller}
      className="table-scroll"
      style={{ maxHeight: props.maxHeight ?? "calc(100dvh - 11rem)" }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard.
      tabIndex={0}
      aria-label={label}
    >
      <table className="fixed-table" style={{ minWidth }} aria-rowcount={total ?? -1}>
        <colgroup>
          {table.getAllLeafColumns().map(({ id }) => (
            <col key={id} style={{ width: widths[id] }} />
          ))}
        </colgroup>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => (
                <th key={header.id} scope="col">
                  <table.FlexRender header={header} />
                </th>
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          <Spacer height={above} columns={columns.length} />
          {items.map(({ index }) => {
            const row = model[index];
            return row ? (
              <tr key={row.id} aria-rowindex={index + 2}>
                {row.getAllCells().map((cell) => (
                  <td key={cell.id}>
                    <table.FlexRender cell={cell} />
                  </td>
                ))}
              </tr>
            ) : null;
          })}
          <Spacer height={below} columns={columns.length} />
        </tbody>
      </table>
    </section>
  );
}

function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr data-spacer style={{ height }}>
      <td colSpan={columns} />
    </tr>
  );
}
