import { groupedBy } from "../../../lib/grouped.js";
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

/** In no text of PostgreSQL. */
const NUL = "\0";

const EVENTS = `
  SELECT * FROM unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
    AS a (day, provider, status, reason, code, method, events, latency_ms)`;

/** Summed up here: a batch has some thirty rows of the roll-up, and each of its events would have to be sent. */
function eventColumns(events: readonly Counted[]): unknown[] {
  const names = ({ day, provider, status, reason, code, method }: Counted) =>
    [day, provider, status, reason, code, method].join(NUL);
  const groups = [...groupedBy(events, names).values()];
  return [
    groups.map(([{ day }]) => day),
    groups.map(([{ provider }]) => provider ?? ""),
    groups.map(([{ status }]) => status),
    groups.map(([{ reason }]) => reason ?? ""),
    groups.map(([{ code }]) => code ?? ""),
    groups.map(([{ method }]) => method),
    groups.map(({ length }) => length),
    groups.map((group) => group.reduce((sum, { latencyMs }) => sum + latencyMs, 0)),
  ];
}

const AMOUNTS = `
  SELECT * FROM unnest($1::date[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS a (day, provider, currency, events, round)`;

function amountColumns(events: readonly Counted[]): unknown[] {
  const amounts = events.filter(({ amountMinor }) => amountMinor !== null);
  const names = ({ day, provider, currency }: Counted) => [day, provider, currency].join(NUL);
  const groups = [...groupedBy(amounts, names).values()];
  return [
    groups.map(([{ day }]) => day),
    groups.map(([{ provider }]) => provider ?? ""),
    groups.map(([{ currency }]) => currency),
    groups.map(({ length }) => length),
    groups.map((group) => group.filter(({ amountMinor }) => (amountMinor ?? 1n) % 100n === 0n).length),
  ];
}
