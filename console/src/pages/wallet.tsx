import type { MovementList, WalletDetail } from "../answers.js";
import { Facts } from "../components/facts.js";
import { Items } from "../components/list_page.js";
import { Page, Section } from "../components/page.js";
import { Show } from "../components/states.js";
import type { Column } from "../components/table.js";
import { Id, Instant, Money, text } from "../components/value.js";
import { queryText } from "../lib/api.js";
import { hrefOf } from "../lib/route.js";
import { words } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function WalletPage({ params, query }: PageProps) {
  const id = params["id"] ?? "";
  const path = `wallets/${encodeURIComponent(id)}`;
  const answer = useAnswer<WalletDetail>(path);
  const movements = useAnswer<MovementList>(`${path}/movements${queryText({ cursor: query["cursor"] })}`);
  return (
    <Page title={`Wallet ${id}`} answer={answer}>
      <div class="parts">
        <Show answer={answer}>
          {({ wallet }) => (
            <Section title="Wallet">
              <Facts
                facts={[
                  [
                    "User",
                    <a key="user" href={hrefOf(["payments"], { customer: wallet.user_id })}>
                      {wallet.user_id}
                    </a>,
                  ],
                  ["Balance", <Money key="balance" amount={wallet.balance} currency={wallet.currency} />],
                  ["Created", <Instant key="created" at={wallet.created_at} />],
                  ["Updated", <Instant key="updated" at={wallet.updated_at} />],
                  ["Closed", <Instant key="closed" at={wallet.closed_at} />],
                ]}
              />
            </Section>
          )}
        </Show>
        <Section title="Movements">
          <Show answer={movements}>
            {(list) => (
              <Items
                query={query}
                caption="Movements, newest first"
                columns={MOVEMENTS}
                keyOf={({ id: movement }) => movement}
                empty="No money has moved in or out yet."
                list={list}
              />
            )}
          </Show>
        </Section>
      </div>
    </Page>
  );
}

const MOVEMENTS: readonly Column<MovementList["items"][number]>[] = [
  { head: "Moved", cell: ({ moved_at }) => <Instant at={moved_at} /> },
  { head: "Kind", cell: ({ kind, direction }) => `${words(kind)}, ${direction}` },
  {
    head: "Amount",
    cell: ({ amount, currency, direction }) => (
      <span class="num">
        {direction === "in" ? "+" : "−"}
        <Money amount={amount} currency={currency} />
      </span>
    ),
    numeric: true,
  },
  { head: "Payment", cell: ({ payment_id }) => <Id kind="payment" id={payment_id} /> },
  { head: "Reference", cell: ({ reference }) => text(reference) },
  { head: "Movement", cell: ({ id }) => <span class="id">{id}</span> },
];
