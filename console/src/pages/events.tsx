import type { Event } from "../../../services/console/contracts/events.js";
import type { Filter } from "../components/filters.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Id, Instant, Money, text } from "../components/value.js";
import { shareText } from "../lib/text.js";
import type { PageProps } from "./page_props.js";

const STATES: readonly Event["status"][] = [
  "APPROVED",
  "PENDING",
  "DECLINED",
  "FAILED",
  "REFUNDED",
  "CHARGEBACK",
  "UNPROCESSED",
];
const FILTERS: readonly Filter[] = [
  { name: "payment_ref", label: "Payment" },
  { name: "provider", label: "Provider" },
  {
    name: "status",
    label: "Status",
    values: STATES,
  },
  { name: "from", label: "From (UTC)", time: true },
  { name: "to", label: "Until (UTC)", time: true },
];

const COLUMNS: readonly Column<Event>[] = [
  { head: "Event", cell: ({ id }) => <Id kind="event" id={id} /> },
  { head: "Status", cell: ({ status }) => <State state={status} /> },
  { head: "Provider", cell: ({ provider }) => text(provider) },
  { head: "Merchant", cell: ({ merchant }) => text(merchant) },
  {
    head: "Amount",
    cell: ({ amount, currency }) => <Money amount={amount} currency={currency} />,
    numeric: true,
  },
  { head: "Understood by", cell: ({ method, confidence }) => `${method}, ${shareText(confidence)}` },
  { head: "Code", cell: ({ code }) => (code === null ? text(null) : <code>{code}</code>) },
  { head: "Received", cell: ({ received_at }) => <Instant at={received_at} /> },
];

export function EventsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Events of providers"
      path="events"
      query={query}
      filters={FILTERS}
      tools={<a href="#/rules">Rules and mappings</a>}
      caption="Events of providers, newest first"
      columns={COLUMNS}
      keyOf={({ id }) => id}
      empty={
        <>
          No provider has told anything yet. <code>POST /api/v1/events</code> takes an event.
        </>
      }
    />
  );
}
