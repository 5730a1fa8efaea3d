import type { EventDetail } from "../answers.js";
import { Facts, Json, Raw } from "../components/facts.js";
import { Letters } from "../components/letters.js";
import { Links } from "../components/links.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Id, Instant, Money, text } from "../components/value.js";
import { bytesText, durationText, shareText, words } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function EventPage({ params }: PageProps) {
  const id = params["id"] ?? "";
  const answer = useAnswer<EventDetail>(`events/${encodeURIComponent(id)}`);
  return (
    <Page title={`Event ${id}`} answer={answer}>
      <Show answer={answer}>
        {(detail) => (
          <div class="parts">
            <div class="beside">
              <AsItCame {...detail} />
              <Normalised {...detail} />
            </div>
            <Provenance {...detail} />
            <Former {...detail} />
            <Letters letters={detail.letters} />
            <Links links={detail.links} />
          </div>
        )}
      </Show>
    </Page>
  );
}

function AsItCame({ raw }: EventDetail) {
  if (raw === null) {
    return (
      <Section title="As it came">
        <p class="empty">What was sent is not kept any more.</p>
      </Section>
    );
  }
  return (
    <Section title="As it came">
      <Facts
        facts={[
          ["Size", `${bytesText(raw.bytes)}${raw.cut ? ", cut here" : ""}`],
          ["Encoding", raw.encoding],
          ["Hint of the sender", text(raw.hint)],
          ["Place in the body", raw.place + 1],
        ]}
      />
      <Raw text={raw.text} label="What was sent" />
    </Section>
  );
}

function Normalised({ event, normalised, payment_status }: EventDetail) {
  return (
    <Section title="As it was understood">
      <Facts
        facts={[
          ["Status", <State key="status" state={event.status} />],
          ["Why", text(normalised.detail ?? event.code)],
          ["Reason", text(normalised.reason && words(normalised.reason))],
          ["Provider", text(event.provider)],
          ["Source", event.source],
          ["Understood by", `${event.method}, ${shareText(event.confidence)}`],
          ["Rule", text(event.rule)],
          ["Amount", <Money key="amount" amount={event.amount} currency={event.currency} />],
          ["In USD", <Money key="usd" amount={event.amount_usd} currency="USD" />],
          ["Rate of", text(normalised.fx_day)],
          ["Payment there", text(event.payment_ref)],
          [
            "Payment stands",
            payment_status === null ? text(null) : <State key="stands" state={payment_status} />,
          ],
          ["Event there", text(normalised.provider_event_id)],
          ["Undoes", text(normalised.undoes)],
          ["Repeats", <Id key="repeats" kind="event" id={normalised.repeats} />],
          ["Merchant", text(event.merchant)],
          ["Country", text(event.country)],
          ["Happened", <Instant key="happened" at={event.occurred_at} />],
          ["Received", <Instant key="received" at={event.received_at} />],
          ["Took", durationText(normalised.latency_ms / 1_000)],
          ["Attempts", normalised.attempts],
          ["Tried again", <Instant key="again" at={normalised.retry_at} />],
        ]}
      />
      {Object.keys(normalised.metadata).length > 0 && <Json of={normalised.metadata} label="Metadata" />}
    </Section>
  );
}

function Provenance({ provenance }: EventDetail) {
  return (
    <Section title="Where each field is from">
      <Table
        caption="Fields and where they are from"
        columns={[
          { head: "Field", cell: ({ field }) => field },
          { head: "From", cell: ({ pointer }) => <code class="free">{pointer}</code> },
          {
            head: "As it stood there",
            cell: (row) => (row.text === null ? text(null) : <code class="free">{row.text}</code>),
          },
        ]}
        rows={provenance}
        keyOf={({ field, pointer }) => `${field} ${pointer}`}
        empty="No field was found in it."
      />
    </Section>
  );
}

function Former({ former }: EventDetail) {
  return former.length === 0 ? null : (
    <Section title="What it was taken for before">
      <Table
        caption="What it was taken for before"
        columns={[
          { head: "Status", cell: ({ status }) => <State state={status} /> },
          { head: "Rule", cell: ({ rule }) => text(rule) },
          { head: "Changed by", cell: ({ cause }) => cause },
          { head: "Changed", cell: ({ changed_at }) => <Instant at={changed_at} /> },
        ]}
        rows={former}
        keyOf={({ changed_at, status }) => `${changed_at} ${status}`}
        empty=""
      />
    </Section>
  );
}
