import type { ReportWindow } from "../../../services/console/contracts/windows.js";
import type { Filter } from "../components/filters.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Count, Id, Instant } from "../components/value.js";
import type { PageProps } from "./page_props.js";

const STATES: readonly ReportWindow["state"][] = ["OPEN", "UNKNOWN", "CLOSED", "ALERT", "RESOLVED_LATE"];
const FILTERS: readonly Filter[] = [
  { name: "service", label: "Service" },
  { name: "state", label: "State", values: STATES },
];

const COLUMNS: readonly Column<ReportWindow>[] = [
  { head: "Window", cell: ({ id }) => <Id kind="window" id={id} /> },
  { head: "Service", cell: ({ service }) => service },
  { head: "State", cell: ({ state }) => <State state={state} /> },
  { head: "Expected", cell: ({ expected }) => <Count of={expected} />, numeric: true },
  { head: "Received", cell: ({ received }) => <Count of={received} />, numeric: true },
  { head: "Errors", cell: ({ errors }) => <Count of={errors} />, numeric: true },
  { head: "Missing", cell: ({ missing }) => <Count of={missing} />, numeric: true },
  { head: "Late", cell: ({ late }) => <Count of={late} />, numeric: true },
  { head: "From", cell: ({ from }) => <Instant at={from} /> },
  { head: "Until", cell: ({ to }) => <Instant at={to} /> },
];

export function WindowsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Windows of reports"
      path="windows"
      query={query}
      filters={FILTERS}
      caption="Windows of reports, newest first"
      columns={COLUMNS}
      keyOf={({ id }) => id}
      empty={
        <>
          No window was opened yet. <code>POST /report-windows</code> of a reporter opens one.
        </>
      }
    />
  );
}
