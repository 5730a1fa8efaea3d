import type { Action } from "../../../services/console/contracts/actions.js";
import { ActionFacts } from "../components/action_dialog.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Instant } from "../components/value.js";
import type { PageProps } from "./page_props.js";

const COLUMNS: readonly Column<Action>[] = [
  { head: "At", cell: ({ at }) => <Instant at={at} /> },
  { head: "Action", cell: ({ kind }) => kind },
  { head: "On", cell: ({ subject }) => subject },
  { head: "State", cell: ({ state }) => <State state={state} /> },
  { head: "Who", cell: ({ who }) => who },
  { head: "Why", cell: ({ why }) => why },
  {
    head: "More",
    cell: (action) => (
      <details>
        <summary>Result</summary>
        <ActionFacts action={action} />
      </details>
    ),
  },
];

/** Who did what from the console, and why. */
export function ActionsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Actions"
      path="actions"
      query={query}
      caption="Actions, newest first"
      columns={COLUMNS}
      keyOf={({ action_id }) => action_id}
      empty="Nothing was done from the console yet."
    />
  );
}
