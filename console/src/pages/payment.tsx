import type { PaymentDetail } from "../answers.js";
import { Facts } from "../components/facts.js";
import { Letters } from "../components/letters.js";
import { Links } from "../components/links.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Id, Instant, Money, text } from "../components/value.js";
import { hrefOf } from "../lib/route.js";
import { words } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function PaymentPage({ params }: PageProps) {
  const id = params["id"] ?? "";
  const answer = useAnswer<PaymentDetail>(`payments/${encodeURIComponent(id)}`);
  return (
    <Page title={`Payment ${id}`} answer={answer}>
      <Show answer={answer}>
        {(detail) => (
          <div class="parts">
            <Payment {...detail} />
            <Timeline timeline={detail.timeline} />
            <Wallet {...detail} />
            <ProviderEvents events={detail.events} />
            <Letters letters={detail.letters} />
            <Links links={detail.links} />
          </div>
        )}
      </Show>
    </Page>
  );
}

function Payment({ payment }: PaymentDetail) {
  return (
    <Section title="Payment">
      <Facts
        facts={[
          ["State", <State key="state" state={payment.state} />],
          ["Reason", text(payment.reason && words(payment.reason))],
          ["Waits for", text(payment.awaiting)],
          ["Amount", <Money key="amount" amount={payment.amount} currency={payment.currency} />],
          ["Refunded", <Money key="refunded" amount={payment.refunded} currency={payment.currency} />],
          ["Method", words(payment.method)],
          [
            "Customer",
            <a key="customer" href={hrefOf(["payments"], { customer: payment.customer_id })}>
              {payment.customer_id}
            </a>,
          ],
          ["Reference", text(payment.reference)],
          ["Trace", <code key="trace">{payment.trace_id}</code>],
          ["Created", <Instant key="created" at={payment.created_at} />],
          ["Updated", <Instant key="updated" at={payment.updated_at} />],
        ]}
      />
    </Section>
  );
}

function Timeline({ timeline }: Pick<PaymentDetail, "timeline">) {
  return (
    <Section title="Timeline">
      {timeline.length === 0 && <p class="empty">No step of it is recorded yet.</p>}
      <ol class="timeline">
        {timeline.map(({ at, state, awaiting, event, message_id }) => (
          <li key={message_id}>
            <Instant at={at} /> <State state={state} />
            {awaiting && <span class="quiet"> waits for {awaiting}</span>}
            <div class="quiet">
              by <code>{event}</code>, message <code>{message_id}</code>
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Wallet({ payment, decision, movements }: PaymentDetail) {
  return (
    <Section title="Wallet">
      {decision === null ? (
        <p class="empty">The wallet has decided nothing about it yet.</p>
      ) : (
        <Facts
          facts={[
            ["Decision", <State key="outcome" state={decision.outcome.toUpperCase()} />],
            ["Reason", words(decision.reason)],
            ["Wallet", <Id key="wallet" kind="wallet" id={decision.wallet_id} />],
            ["Refunded", <Money key="refunded" amount={decision.refunded} currency={payment.currency} />],
            ["Decided", <Instant key="decided" at={decision.decided_at} />],
          ]}
        />
      )}
      <Table
        caption="Movements of money for this payment"
        columns={[
          { head: "Movement", cell: ({ id }) => <span class="id">{id}</span> },
          { head: "Kind", cell: ({ kind }) => words(kind) },
          {
            head: "Amount",
            cell: ({ amount, currency }) => <Money amount={amount} currency={currency} />,
            numeric: true,
          },
          { head: "Moved", cell: ({ moved_at }) => <Instant at={moved_at} /> },
        ]}
        rows={movements}
        keyOf={({ id }) => id}
        empty="No money has moved for it."
      />
    </Section>
  );
}

function ProviderEvents({ events }: Pick<PaymentDetail, "events">) {
  return (
    <Section title="Events of providers">
      <Table
        caption="Events of providers that name this payment"
        columns={[
          { head: "Event", cell: ({ id }) => <Id kind="event" id={id} /> },
          { head: "Provider", cell: ({ provider }) => text(provider) },
          { head: "Status", cell: ({ status }) => <State state={status} /> },
          { head: "Received", cell: ({ received_at }) => <Instant at={received_at} /> },
        ]}
        rows={events}
        keyOf={({ id }) => id}
        empty="No provider has told anything of it."
      />
    </Section>
  );
}
