import type { Overview } from "../../../../services/console/contracts/overview.js";
import { Facts } from "../../components/facts.js";
import { Section } from "../../components/page.js";
import { State } from "../../components/state.js";
import { Count, Instant } from "../../components/value.js";
import { durationText, grouped, shareText } from "../../lib/text.js";

/** What waits in the database, and who works. null is no data, zero is nothing that waits. */
export function Lag({ now }: { readonly now: Overview }) {
  const { lag, rates, workers, windows, services } = now;
  return (
    <Section title="What waits">
      {lag === null ? (
        <p class="empty">PostgreSQL has told nothing yet.</p>
      ) : (
        <Facts
          facts={[
            ["Pending payments", waitText(lag.pending_payments, lag.pending_oldest_s, lag.pending_more)],
            ["Events to publish", waitText(lag.outbox_events, lag.outbox_oldest_s)],
            ["Open payouts", <Count key="pagos" of={lag.open_pagos} />],
            ["Parked in reports", <Count key="parked" of={lag.reports_parked} />],
            ["Reports applied", <Instant key="applied" at={lag.reports_applied_at} />],
            ["Approved", rates?.approved_share == null ? "no data" : shareText(rates.approved_share)],
          ]}
        />
      )}
      <h3>Workers</h3>
      <Workers workers={workers} />
      <h3>Windows of reports</h3>
      {windows === null ? (
        <p class="empty">The monitor has told nothing yet.</p>
      ) : (
        <Facts
          facts={[
            ["Open", <Count key="open" of={windows.open} />],
            ["To be decided", <Count key="pending" of={windows.pending} />],
            ["Not known", <Count key="unknown" of={windows.unknown} />],
            ["Alerts in the last hour", <Count key="alerts" of={windows.alerts_last_hour} />],
            ...(services ?? []).map(({ service, alerts }) => [service, alertsText(alerts)] as const),
          ]}
        />
      )}
    </Section>
  );
}

const waitText = (count: number, oldestS: number, more = false) =>
  count === 0 ? "0" : `${grouped(count)}${more ? " or more" : ""}, the oldest for ${durationText(oldestS)}`;

const alertsText = (alerts: number) => (
  <State state={alerts === 0 ? "up" : "failed"} label={`${alerts} of its last 5 windows`} />
);

function Workers({ workers }: Pick<Overview, "workers">) {
  if (workers === null || workers.length === 0) {
    return <p class="empty">{workers === null ? "PostgreSQL has told nothing yet." : "No worker runs."}</p>;
  }
  return (
    <ul class="plain">
      {workers.map(({ id, silent, heartbeat_at, started_at }) => (
        <li key={id}>
          <State state={silent ? "away" : "up"} label={silent ? "silent" : "beats"} /> <code>{id}</code>{" "}
          <span class="quiet">
            since <Instant at={started_at} />, last beat <Instant at={heartbeat_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
