/** The codes a transaction may carry: the generator draws from these lists, the clean step accepts nothing else. */

export const CURRENCIES = [
  "EUR",
  "USD",
  "GBP",
  "CHF",
  "SEK",
  "PLN",
  "CAD",
  "AUD",
  "JPY",
  "BRL",
  "MXN",
  "INR",
] as const;
export const KINDS = ["purchase", "cash", "refund"] as const;
export const CHANNELS = ["pos", "ecom", "atm"] as const;
export const NETWORKS = ["visa", "mastercard", "amex", "discover"] as const;
export const STATUSES = ["approved", "declined", "reversed"] as const;
/** ISO 8583 field 39: approved, do not honour, expired, insufficient funds, suspected fraud, over limit, too often, issuer away. */
export const RESPONSE_CODES = ["00", "05", "54", "51", "59", "61", "65", "91"] as const;

/** Above this no card payment is believed, whatever the currency. */
export const MAX_AMOUNT = 100_000_000;

/** What a row may hold, by the names in etl.create_builds and clean_chunk.sql: the two must judge alike. */
export const ACCEPTED = {
  max_amount: MAX_AMOUNT,
  currencies: CURRENCIES,
  kinds: KINDS,
  channels: CHANNELS,
  networks: NETWORKS,
  statuses: STATUSES,
  response_codes: RESPONSE_CODES,
} as const;
