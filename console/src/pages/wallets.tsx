import type { Wallet } from "../../../services/console/contracts/wallets.js";
import { ListPage } from "../components/list_page.js";
import type { Column } from "../components/table.js";
import { Id, Instant, Money } from "../components/value.js";
import type { PageProps } from "./page_props.js";

const FILTERS = [{ name: "q", label: "User begins with" }] as const;

const COLUMNS: readonly Column<Wallet>[] = [
  { head: "Wallet", cell: ({ id }) => <Id kind="wallet" id={id} /> },
  { head: "User", cell: ({ user_id }) => user_id },
  {
    head: "Balance",
    cell: ({ balance, currency }) => <Money amount={balance} currency={currency} />,
    numeric: true,
  },
  { head: "Updated", cell: ({ updated_at }) => <Instant at={updated_at} /> },
];

export function WalletsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Wallets"
      path="wallets"
      query={query}
      filters={FILTERS}
      caption="Open wallets, by user and currency"
      columns={COLUMNS}
      keyOf={({ id }) => id}
      empty={
        <>
          There is no wallet yet. <code>payments wallets seed</code> gives each account one.
        </>
      }
    />
  );
}
