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
  readonly accountFacts: Facts<(typeof ACCOUNT_FACTS)[number]>;
  readonly merchantFacts: Facts<(typeof MERCHANT_FACTS)[number]>;
}

/** Columns of the dimensions that are no ids. */
export const ACCOUNT_FACTS = [
  "account_country",
  "account_currency",
  "account_segment",
  "account_spending_level",
  /** In days since 1970. */
  "account_opened_on",
] as const;
export const MERCHANT_FACTS = [
  "merchant_category",
  "merchant_country",
  "merchant_city",
  "merchant_currency",
  "merchant_price_level",
] as const;

/** The columns that are looked at, one by one and in pairs, by the names under which they are reported. */
export const COLUMNS = [
  "amount",
  /** Hundredths beyond whole units: cut by rank, an amount does not show which ending fraud prefers. */
  "amount_ending",
  "currency",
  "kind",
  "channel",
  "network",
  "status",
  "response_code",
  "hour",
  "weekday",
  ...ACCOUNT_FACTS,
  ...MERCHANT_FACTS,
] as const;

export type Facts<Name extends string> = Readonly<Record<Name, number | string>>;

const HOUR_MS = 3_600_000;
/** 1970-01-01 was a Thursday. */
const MONDAY_MS = 4 * 24 * HOUR_MS;

export function columnsOf(row: LeakRow): Facts<(typeof COLUMNS)[number]> {
  const { amount, currency, kind, channel, network, status, response, accountFacts, merchantFacts } = row;
  return {
    amount,
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
