import type { Campaign } from "../../../services/console/contracts/campaigns.js";
import { Progress } from "../components/bars.js";
import type { Filter } from "../components/filters.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Count, Id, Money } from "../components/value.js";
import type { PageProps } from "./page_props.js";

const STATES: readonly Campaign["state"][] = ["CREATED", "ACTIVE", "PAUSED", "COMPLETED"];
const FILTERS: readonly Filter[] = [{ name: "state", label: "State", values: STATES }];

const COLUMNS: readonly Column<Campaign>[] = [
  { head: "Campaign", cell: ({ id, name }) => <Id kind="campaign" id={id} label={name} /> },
  { head: "State", cell: ({ state }) => <State state={state} /> },
  {
    head: "Spent",
    cell: ({ name, spent_share }) => <Progress label={`Spent of ${name}`} share={spent_share} />,
  },
  {
    head: "Spend",
    cell: ({ spend, currency }) => <Money amount={spend} currency={currency} />,
    numeric: true,
  },
  {
    head: "Budget",
    cell: ({ budget, currency }) => <Money amount={budget} currency={currency} />,
    numeric: true,
  },
  { head: "Impressions", cell: ({ impressions }) => <Count of={impressions} />, numeric: true },
  { head: "Clicks", cell: ({ clicks }) => <Count of={clicks} />, numeric: true },
  { head: "Conversions", cell: ({ conversions }) => <Count of={conversions} />, numeric: true },
];

export function CampaignsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Campaigns"
      path="campaigns"
      query={query}
      filters={FILTERS}
      caption="Campaigns, newest first"
      columns={COLUMNS}
      keyOf={({ id }) => id}
      empty={
        <>
          There is no campaign yet. <code>POST /campaigns/</code> makes one.
        </>
      }
    />
  );
}
