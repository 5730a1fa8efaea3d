import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Method, StatusCategory } from "../domain/normalised.js";

/** Which days, both ends included, and whose events; left out: all. */
export interface Span {
  readonly from: string;
  readonly to: string;
  readonly provider?: string | undefined;
}

/** A row of a roll-up, over all days. */
export interface Figure {
  readonly provider: string;
  readonly status: StatusCategory;
  readonly reason: string;
  readonly code: string;
  readonly method: Method;
  readonly events: number;
  readonly latencyMs: number;
}

export async function readFigures(db: Queryable, span: Span): Promise<readonly Figure[]> {
  const { rows } = await db.query<Figure>({
    name: `ingest_figures${span.provider === undefined ? "" : "_of"}`,
    text: `SELECT provider, status, reason, code, method, sum(events)::float8 AS events, sum(latency_ms)::float8 AS "latencyMs"
           FROM ingest.event_day
           WHERE day BETWEEN $1 AND $2 ${span.provider === undefined ? "" : "AND provider = $3"}
           GROUP BY 1, 2, 3, 4, 5 HAVING sum(events) > 0 ORDER BY 1, 2, 3, 4, 5`,
    values: valuesOf(span),
  });
  return rows;
}

/** How many amounts of a provider end in 00. */
export interface Rounding {
  readonly provider: string;
  readonly currency: string;
  readonly events: number;
  readonly round: number;
}

export async function readRoundings(db: Queryable, span: Span): Promise<readonly Rounding[]> {
  const { rows } = await db.query<Rounding>({
    name: `ingest_roundings${span.provider === undefined ? "" : "_of"}`,
    text: `SELECT provider, currency, sum(events)::float8 AS events, sum(round)::float8 AS round
           FROM ingest.amount_day
           WHERE day BETWEEN $1 AND $2 ${span.provider === undefined ? "" : "AND provider = $3"}
           GROUP BY 1, 2 HAVING sum(events) > 0 ORDER BY 1, 2`,
    values: valuesOf(span),
  });
  return rows;
}

/** Events by day and status. */
export interface DayFigure {
  readonly day: string;
  readonly status: StatusCategory;
  readonly events: number;
}

export async function readDays(db: Queryable, span: Span): Promise<readonly DayFigure[]> {
  const { rows } = await db.query<DayFigure>({
    name: `ingest_days${span.provider === undefined ? "" : "_of"}`,
    text: `SELECT day, status, sum(events)::float8 AS events
           FROM ingest.event_day
           WHERE day BETWEEN $1 AND $2 ${span.provider === undefined ? "" : "AND provider = $3"}
           GROUP BY 1, 2 HAVING sum(events) > 0 ORDER BY 1, 2`,
    values: valuesOf(span),
  });
  return rows;
}

const valuesOf = ({ from, to, provider }: Span): unknown[] =>
  provider === undefined ? [from, to] : [from, to, provider];
