import { JsonView } from "../../elements/json-view.tsx";

const ROWS = 500;

/** A table as a run left it: a list of rows, or columns by name, as JSON text or as it is. */
export function ArtifactTable({ data }: { readonly data: unknown }) {
  const rows = rowsOf(data);
  if (rows === null) return <JsonView title="Data" value={data} none="" />;
  const columns = [...new Set(rows.slice(0, ROWS).flatMap((row) => Object.keys(row)))];
  return (
    <div className="table-scroll" style={{ maxHeight: "24rem" }}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name of their own, and do not move.
            <tr key={index}>
              {columns.map((column) => (
                <td key={column}>{cellText(row[column])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > ROWS && <p className="quiet">… and {rows.length - ROWS} more rows.</p>}
    </div>
  );
}

type Row = Readonly<Record<string, unknown>>;

function rowsOf(data: unknown): readonly Row[] | null {
  const value = typeof data === "string" ? parsed(data) : data;
  if (Array.isArray(value)) {
    return value.map(
      (row): Row => (Array.isArray(row) ? Object.fromEntries(row.entries()) : isRow(row) ? row : { "": row }),
    );
  }
  if (!isRow(value)) return null;
  const columns = Object.entries(value).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const length = Math.max(0, ...columns.map(([, cells]) => cells.length));
  return Array.from({ length }, (_, index) => Object.fromEntries(columns.map(([name, cells]) => [name, cells[index]])));
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A text that is no table is shown as it is.
    return null;
  }
}

function cellText(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
