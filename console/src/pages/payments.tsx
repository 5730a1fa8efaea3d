import type { Payment } from "../../../services/console/contracts/payments.js";
import type { Filter } from "../components/filters.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Id, Instant, Money, text } from "../components/value.js";
import { words } from "../lib/text.js";
import type { PageProps } from "./page_props.js";

const STATES: readonly Payment["state"][] = [
  "PENDING",
  "APPROVED",
  "DECLINED",
  "PARTIALLY_REFUNDED",
  "REFUNDED",
];
const FILTERS: readonly Filter[] = [
  { name: "id", label: "Payment" },
  { name: "customer", label: "Customer" },
  { name: "reference", label: "Reference" },
  {
    name: "state",
    label: "State",
    values: STATES,
  },
  { name: "from", label: "From (UTC)", time: true },
  { name: "to", label: "Until (UTC)", time: true },
];

const COLUMNS: readonly Column<Payment>[] = [
  { head: "Payment", cell: ({ id }) => <Id kind="payment" id={id} /> },
  { head: "State", cell: ({ state }) => <State state={state} /> },
  { head: "Reason", cell: ({ reason }) => text(reason && words(reason)) },
  {
    head: "Amount",
    cell: ({ amount, currency }) => <Money amount={amount} currency={currency} />,
    numeric: true,
  },
  { head: "Customer", cell: ({ customer_id }) => customer_id },
  { head: "Created", cell: ({ created_at }) => <Instant at={created_at} /> },
];

export function PaymentsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Payments"
      path="payments"
      query={query}
      filters={FILTERS}
      caption="Payments, newest first"
      columns={COLUMNS}
      keyOf={({ id }) => id}
      empty={
        <>
          No payment was made yet. <code>POST /payments</code> makes one, <code>payments traffic</code> many.
        </>
      }
    />
  );
}
