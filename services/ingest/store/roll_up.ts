import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Taken } from "./text.js";

/** An event as roll-ups count it. */
export interface Counted
  extends Pick<Taken, "provider" | "status" | "reason" | "code" | "method" | "currency" | "amountMinor"> {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string;
  readonly latencyMs: number;
}

/**
 * Counts events. Rows of roll-ups are few, and all transactions change the same ones: this comes last before the commit, and in the
 * order of their keys.
 */
export async function count(tx: Queryable, events: readonly Counted[]): Promise<void> {
  await tx.query({
    name: "ingest_count_events",
    text: `INSERT INTO ingest.event_day AS d (day, provider, status, reason, code, method, events, latency_ms)
           ${EVENTS} ORDER BY 1, 2, 3, 4, 5, 6
           ON CONFLICT (day, provider, status, reason, code, method) DO UPDATE
           SET events = d.events + excluded.events, latency_ms = d.latency_ms + excluded.latency_ms`,
    values: eventColumns(events),
  });
  await tx.query({
    name: "ingest_count_amounts",
    text: `INSERT INTO ingest.amount_day AS d (day, provider, currency, events, round)
           ${AMOUNTS} ORDER BY 1, 2, 3
           ON CONFLICT (day, provider, currency) DO UPDATE SET events = d.events + excluded.events, round = d.round + excluded.round`,
    values: amountColumns(events),
  });
}

/** Takes back that events were counted. */
export async function uncount(tx: Queryable, events: readonly Counted[]): Promise<void> {
  await tx.query({
    name: "ingest_uncount_events",
    text: `UPDATE ingest.event_day d SET events = d.events - a.events, latency_ms = d.latency_ms - a.latency_ms
           FROM (${EVENTS}) a
           WHERE (d.day, d.provider, d.status, d.reason, d.code, d.method) = (a.day, a.provider, a.status, a.reason, a.code, a.method)`,
    values: eventColumns(events),
  });
  await tx.query({
    name: "ingest_uncount_amounts",
    text: `UPDATE ingest.amount_day d SET events = d.events - a.events, round = d.round - a.round
           FROM (${AMOUNTS}) a
           WHERE (d.day, d.provider, d.currency) = (a.day, a.provider, a.currency)`,
    values: amountColumns(events),
  });
}

const EVENTS = `
  SELECT day, provider, status, reason, code, method, count(*) AS events, sum(latency_ms)::bigint AS latency_ms
  FROM unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[])
    AS a (day, provider, status, reason, code, method, latency_ms)
  GROUP BY 1, 2, 3, 4, 5, 6`;

const eventColumns = (events: readonly Counted[]): unknown[] => [
  events.map(({ day }) => day),
  events.map(({ provider }) => provider ?? ""),
  events.map(({ status }) => status),
  events.map(({ reason }) => reason ?? ""),
  events.map(({ code }) => code ?? ""),
  events.map(({ method }) => method),
  events.map(({ latencyMs }) => latencyMs),
];

const AMOUNTS = `
  SELECT day, provider, currency, count(*) AS events, count(*) FILTER (WHERE amount % 100 = 0) AS round
  FROM unnest($1::date[], $2::text[], $3::text[], $4::bigint[]) AS a (day, provider, currency, amount)
  GROUP BY 1, 2, 3`;

function amountColumns(events: readonly Counted[]): unknown[] {
  const amounts = events.filter(({ amountMinor }) => amountMinor !== null);
  return [
    amounts.map(({ day }) => day),
    amounts.map(({ provider }) => provider ?? ""),
    amounts.map(({ currency }) => currency),
    amounts.map(({ amountMinor }) => amountMinor),
  ];
}
