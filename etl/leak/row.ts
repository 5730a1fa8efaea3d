/** A transaction with what is joined to it: all that somebody who looks for fraud may see, and whether it is. */
export interface LeakRow {
  readonly timeMs: number;
  readonly account: number;
  readonly merchant: number;
  /** In units of the currency. */
  readonly amount: number;
  readonly currency: string;
  readonly kind: string;
  readonly channel: string;
  readonly network: string;
  readonly status: string;
  readonly response: string;
  readonly fraud: boolean;
  readonly accountFacts: Facts;
  readonly merchantFacts: Facts;
}

/** Columns of a dimension that are no ids. */
export type Facts = Readonly<Record<string, number | string>>;

const HOUR_MS = 3_600_000;
/** 1970-01-01 was a Thursday. */
const MONDAY_MS = 4 * 24 * HOUR_MS;

/** The columns that are looked at, one by one and in pairs, by the names under which they are reported. */
export function columnsOf(row: LeakRow): Facts {
  const { amount, currency, kind, channel, network, status, response, accountFacts, merchantFacts } = row;
  return {
    amount,
    // By rank alone an ending that fraud prefers would vanish.
    amount_ending: Math.round(amount * 100) % 100,
    currency,
    kind,
    channel,
    network,
    status,
    response_code: response,
    hour: Math.floor(row.timeMs / HOUR_MS) % 24,
    weekday: Math.floor((row.timeMs - MONDAY_MS) / (24 * HOUR_MS)) % 7,
    ...accountFacts,
    ...merchantFacts,
  };
}
