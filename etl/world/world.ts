import { CURRENCIES } from "../../lib/domain/codes.js";
import { minorDigitsOf } from "../../lib/domain/money.js";

/** Where people live and spend. Weights are relative; offsets are standard time, daylight saving is left out. */
interface Country {
  readonly code: string;
  readonly currency: (typeof CURRENCIES)[number];
  readonly utcOffsetHours: number;
  readonly weight: number;
  /** Shares of visa, mastercard, amex, discover among its cards. */
  readonly networks: readonly [number, number, number, number];
}

const EUROPE = [0.52, 0.44, 0.04, 0] as const;
export const COUNTRIES: readonly Country[] = [
  { code: "US", currency: "USD", utcOffsetHours: -5, weight: 26, networks: [0.52, 0.25, 0.15, 0.08] },
  { code: "DE", currency: "EUR", utcOffsetHours: 1, weight: 12, networks: [0.4, 0.55, 0.05, 0] },
  { code: "GB", currency: "GBP", utcOffsetHours: 0, weight: 11, networks: EUROPE },
  { code: "FR", currency: "EUR", utcOffsetHours: 1, weight: 9, networks: EUROPE },
  { code: "ES", currency: "EUR", utcOffsetHours: 1, weight: 6, networks: EUROPE },
  { code: "IT", currency: "EUR", utcOffsetHours: 1, weight: 6, networks: EUROPE },
  { code: "NL", currency: "EUR", utcOffsetHours: 1, weight: 4, networks: EUROPE },
  { code: "PL", currency: "PLN", utcOffsetHours: 1, weight: 4, networks: EUROPE },
  { code: "SE", currency: "SEK", utcOffsetHours: 1, weight: 3, networks: EUROPE },
  { code: "CH", currency: "CHF", utcOffsetHours: 1, weight: 2, networks: [0.42, 0.5, 0.08, 0] },
  { code: "CA", currency: "CAD", utcOffsetHours: -5, weight: 4, networks: [0.5, 0.4, 0.1, 0] },
  { code: "AU", currency: "AUD", utcOffsetHours: 10, weight: 3, networks: [0.55, 0.38, 0.07, 0] },
  { code: "JP", currency: "JPY", utcOffsetHours: 9, weight: 4, networks: [0.65, 0.25, 0.1, 0] },
  { code: "BR", currency: "BRL", utcOffsetHours: -3, weight: 3, networks: [0.48, 0.5, 0.02, 0] },
  { code: "MX", currency: "MXN", utcOffsetHours: -6, weight: 2, networks: [0.58, 0.38, 0.04, 0] },
  { code: "IN", currency: "INR", utcOffsetHours: 5.5, weight: 3, networks: [0.6, 0.38, 0.02, 0] },
];

/** Price of a euro's worth, in the order of CURRENCIES: for the size of amounts, not for accounting. */
export const UNITS_PER_EUR = [1, 1.1, 0.85, 0.95, 11, 4.3, 1.5, 1.65, 160, 6, 20, 95] as const;
/** Currencies whose smallest coin is one whole unit. */
export const WHOLE_UNIT_CURRENCIES: readonly boolean[] = CURRENCIES.map((code) => minorDigitsOf(code) === 0);

/** What is bought where. `medianEur` and `sigma` shape the log-normal amount; `ecom` is the share of terminals online. */
interface Category {
  readonly name: string;
  readonly mcc: string;
  readonly weight: number;
  readonly medianEur: number;
  readonly sigma: number;
  readonly ecom: number;
  readonly cash?: true;
}

export const CATEGORIES: readonly Category[] = [
  { name: "grocery", mcc: "5411", weight: 24, medianEur: 28, sigma: 0.8, ecom: 0.08 },
  { name: "restaurant", mcc: "5812", weight: 13, medianEur: 32, sigma: 0.65, ecom: 0.05 },
  { name: "fast_food", mcc: "5814", weight: 13, medianEur: 9.5, sigma: 0.5, ecom: 0.15 },
  { name: "fuel", mcc: "5541", weight: 8, medianEur: 52, sigma: 0.4, ecom: 0 },
  { name: "digital", mcc: "5815", weight: 9, medianEur: 10, sigma: 0.6, ecom: 1 },
  { name: "clothing", mcc: "5651", weight: 7, medianEur: 48, sigma: 0.75, ecom: 0.45 },
  { name: "pharmacy", mcc: "5912", weight: 5, medianEur: 16, sigma: 0.7, ecom: 0.1 },
  { name: "transport", mcc: "4111", weight: 6, medianEur: 4.2, sigma: 0.8, ecom: 0.3 },
  { name: "electronics", mcc: "5732", weight: 3, medianEur: 120, sigma: 1.05, ecom: 0.6 },
  { name: "home", mcc: "5200", weight: 4, medianEur: 41, sigma: 0.95, ecom: 0.3 },
  { name: "utilities", mcc: "4900", weight: 3, medianEur: 85, sigma: 0.5, ecom: 0.9 },
  { name: "hotel", mcc: "7011", weight: 1.5, medianEur: 165, sigma: 0.7, ecom: 0.7 },
  { name: "airline", mcc: "4511", weight: 1, medianEur: 210, sigma: 0.75, ecom: 0.95 },
  { name: "gambling", mcc: "7995", weight: 1, medianEur: 30, sigma: 1.1, ecom: 0.95 },
  { name: "cash_machine", mcc: "6011", weight: 4, medianEur: 80, sigma: 0.6, ecom: 0, cash: true },
];

/** Share of a person's day spent paying, by local hour. */
const HOUR_OF_DAY = [
  0.25, 0.15, 0.1, 0.08, 0.1, 0.25, 0.7, 1.6, 2.6, 2.9, 3.2, 3.9, 4.6, 4.2, 3.8, 3.9, 4.4, 5.2, 5.4, 4.4, 3.2,
  2.2, 1.3, 0.6,
] as const;
/** Monday first. */
const DAY_OF_WEEK = [0.92, 0.93, 0.96, 1.02, 1.2, 1.14, 0.83] as const;
/** January first: a thin start, a summer bump, Christmas. */
const MONTH_OF_YEAR = [0.9, 0.88, 0.96, 0.98, 1.0, 1.02, 1.03, 0.99, 0.98, 1.02, 1.1, 1.24] as const;

/** Sizes and seed of the dimensions: part of what makes two databases comparable, so not a setting. */
export const POPULATION = {
  seed: 20_250_101,
  accounts: 100_000,
  merchants: 5_000,
  terminals: 20_000,
} as const;

/** How busy a country is in an hour of the week (0 = Monday 00:00 UTC). */
export function activity(country: Country, utcHourOfWeek: number): number {
  const local = (((Math.floor(utcHourOfWeek + country.utcOffsetHours) % 168) + 168) % 168) | 0;
  return country.weight * (HOUR_OF_DAY[local % 24] ?? 0) * (DAY_OF_WEEK[Math.floor(local / 24)] ?? 0);
}

/** How busy a day is against others: the season, and the days after pay-day. */
export function seasonOf(day: Date): number {
  const season = MONTH_OF_YEAR[day.getUTCMonth()] ?? 1;
  return season * (day.getUTCDate() >= 26 || day.getUTCDate() <= 3 ? 1.08 : 1);
}

export function currencyIndex(code: (typeof CURRENCIES)[number]): number {
  return CURRENCIES.indexOf(code);
}
