import type { PagoDetail } from "../answers.js";
import { Facts } from "../components/facts.js";
import { Letters } from "../components/letters.js";
import { Links } from "../components/links.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Instant, Money, text } from "../components/value.js";
import { hrefOf } from "../lib/route.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function PayoutPage({ params }: PageProps) {
  const id = params["id"] ?? "";
  const answer = useAnswer<PagoDetail>(`pagos/${encodeURIComponent(id)}`);
  return (
    <Page title={`Payout ${id}`} answer={answer}>
      <Show answer={answer}>
        {(detail) => (
          <div class="parts">
            <Payout {...detail} />
            <Gateway {...detail} />
            <Section title="Waits to be published">
              <Table
                caption="Events of this payout that wait to be published"
                columns={[
                  { head: "Event", cell: ({ event }) => <code>{event}</code> },
                  { head: "Message", cell: ({ message_id }) => <span class="id">{message_id}</span> },
                  { head: "Entered", cell: ({ entered_at }) => <Instant at={entered_at} /> },
                ]}
                rows={detail.outbox}
                keyOf={({ message_id }) => message_id}
                empty="All of its events are published."
              />
            </Section>
            <Letters letters={detail.letters} />
            <Links links={detail.links} />
          </div>
        )}
      </Show>
    </Page>
  );
}

function Payout({ pago }: PagoDetail) {
  return (
    <Section title="Payout">
      <Facts
        facts={[
          ["State", <State key="state" state={pago.estado} />],
          ["Reason", text(pago.motivo)],
          ["Sent back", pago.devuelto ? "yes, by the bank" : "no"],
          ["Amount", <Money key="amount" amount={pago.monto} currency={pago.moneda} />],
          [
            "Affiliate",
            <a key="affiliate" href={hrefOf(["payouts"], { afiliado: pago.id_afiliado })}>
              {pago.id_afiliado}
            </a>,
          ],
          ["Reference", text(pago.referencia_pago)],
          ["Trace", <code key="trace">{pago.trace_id}</code>],
          ["Created", <Instant key="created" at={pago.created_at} />],
          ["Updated", <Instant key="updated" at={pago.updated_at} />],
        ]}
      />
    </Section>
  );
}

function Gateway({ pago, gateway, book }: PagoDetail) {
  return (
    <Section title="Gateway and book">
      {gateway === null ? (
        <p class="empty">The gateway was not asked yet.</p>
      ) : (
        <Facts
          facts={[
            [
              "Its id",
              <span key="id" class="id">
                {text(gateway.id)}
              </span>,
            ],
            [
              "Our key",
              <span key="key" class="id">
                {gateway.key}
              </span>,
            ],
            ["Sent", <Instant key="sent" at={gateway.sent_at} />],
            ["Ended", gateway.ended ? "yes" : "no"],
            ["Times taken up", gateway.takes],
          ]}
        />
      )}
      <Facts
        facts={[
          ["Paid", book.paid && <Money key="paid" amount={book.paid.monto} currency={pago.moneda} />],
          ["Paid at", <Instant key="paid-at" at={book.paid?.paid_at ?? null} />],
          [
            "Paid as",
            <span key="as" class="id">
              {text(book.paid?.gateway_id ?? null)}
            </span>,
          ],
          ["Sent back", <Instant key="back" at={book.returned?.returned_at ?? null} />],
          ["Why back", text(book.returned?.motivo ?? null)],
        ]}
      />
    </Section>
  );
}
