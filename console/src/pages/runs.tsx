import type { Run } from "../../../services/console/contracts/runs.js";
import { Progress } from "../components/bars.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Count, Id, Instant } from "../components/value.js";
import { hrefOf } from "../lib/route.js";
import { durationText } from "../lib/text.js";
import { mayAct } from "../state/session.js";
import type { PageProps } from "./page_props.js";

const COLUMNS: readonly Column<Run>[] = [
  { head: "Run", cell: ({ run }) => <Id kind="run" id={run} /> },
  { head: "State", cell: ({ state }) => <State state={state} /> },
  { head: "Done", cell: ({ run, share }) => <Progress label={`Done of ${run}`} share={share} /> },
  { head: "Rows", cell: ({ rows }) => <Count of={rows} />, numeric: true },
  { head: "Accepted", cell: ({ accepted }) => <Count of={accepted} />, numeric: true },
  { head: "Rejected", cell: ({ rejected }) => <Count of={rejected} />, numeric: true },
  {
    head: "Months",
    cell: ({ months_done, months_total }) => `${months_done} of ${months_total}`,
    numeric: true,
  },
  { head: "Took", cell: ({ elapsed_s }) => durationText(elapsed_s), numeric: true },
  { head: "Created", cell: ({ created_at }) => <Instant at={created_at} /> },
];

export function RunsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Runs"
      path="runs"
      query={query}
      tools={
        mayAct.value && (
          <a class="button" href={hrefOf(["runs", "new"])}>
            Start a run
          </a>
        )
      }
      caption="Runs, newest first"
      columns={COLUMNS}
      keyOf={({ run }) => run}
      empty="No run was started yet."
    />
  );
}
