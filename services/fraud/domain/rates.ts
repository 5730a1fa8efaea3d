/**
 * What one unit of a currency was worth in USD at the beginning of January 2025, to two digits. They tell the order of an amount for
 * the rules, and convert no money: an amount near a limit may fall on either side of what today's rate says. Here are the
 * currencies of the seeded population and of the contract, and those of large card markets.
 */
const USD_PER_UNIT: Readonly<Record<string, number>> = {
  USD: 1,
  EUR: 1.03,
  GBP: 1.25,
  CHF: 1.1,
  SEK: 0.09,
  NOK: 0.088,
  DKK: 0.14,
  PLN: 0.24,
  CZK: 0.041,
  HUF: 0.0025,
  TRY: 0.028,
  CAD: 0.69,
  AUD: 0.62,
  NZD: 0.56,
  JPY: 0.0064,
  CNY: 0.14,
  HKD: 0.13,
  SGD: 0.73,
  KRW: 0.00068,
  INR: 0.012,
  AED: 0.27,
  ZAR: 0.053,
  BRL: 0.16,
  MXN: 0.048,
  COP: 0.00023,
  CLP: 0.001,
  PEN: 0.27,
};

/** What a unit of a currency is worth in USD; undefined for one that is not in the table. */
export const usdPerUnit = (currency: string): number | undefined => USD_PER_UNIT[currency];
