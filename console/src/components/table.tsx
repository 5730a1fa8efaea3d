import type { ComponentChildren } from "preact";
import { hrefOf } from "../lib/route.js";
import { place } from "../state/place.js";
import { Empty } from "./states.js";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Stands to the right. */
  readonly numeric?: boolean;
}

interface TableProps<Row> {
  /** Says what the rows are, for who does not see the page around them. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** In place of no rows. */
  readonly empty: ComponentChildren;
}

/** The narrow page shows a row as a card by CSS, which takes a table's meaning from it; its roles give it back. */
const AS = {
  table: { role: "table" },
  group: { role: "rowgroup" },
  row: { role: "row" },
  head: { role: "columnheader" },
  cell: { role: "cell" },
} as const;

export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>) {
  if (rows.length === 0) {
    return <Empty>{empty}</Empty>;
  }
  return (
    <table {...AS.table}>
      <caption class="unseen">{caption}</caption>
      <thead {...AS.group}>
        <tr {...AS.row}>
          {columns.map(({ head, numeric }) => (
            <th key={head} scope="col" class={numeric ? "numeric" : undefined} {...AS.head}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...AS.group}>
        {rows.map((row) => (
          <tr key={keyOf(row)} {...AS.row}>
            {columns.map(({ head, cell, numeric }) => (
              <td key={head} data-head={head} class={numeric ? "numeric" : undefined} {...AS.cell}>
                {/* One thing beside its head, on the narrow page too. */}
                <div>{cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The page after this one and the first one; the one before is the browser's Back. */
export function Paging({ next }: { readonly next: string | null }) {
  const { path, query } = place.value;
  const { cursor, ...filters } = query;
  if (next === null && cursor === undefined) {
    return null;
  }
  return (
    <nav class="paging" aria-label="Pages of the list">
      {cursor !== undefined && <a href={hrefOf(path, filters)}>First page</a>}
      {next !== null && <a href={hrefOf(path, { ...filters, cursor: next })}>Next page</a>}
    </nav>
  );
}
