import { CoreError } from "../core_errors.js";

/**
 * ISO 4217, list one as published on 17 September 2026: the 165 active codes that have minor units, by their number of digits.
 * Source: the list of 25 June 2024 in npm `currency-codes` 2.2.0, brought up to date by amendments 176 to 180 (out: ANG, BGN, CUC,
 * ZWL; in: XAD, XCG, ZWG), then compared with published counts and code lists of the 2026 one. Metals, test codes and units
 * without minor digits (XAU, XDR, XTS, XXX, …) are no money here. `Intl` is no source: it gives COP, HUF and IDR 0 digits.
 */
const CODES_BY_MINOR_DIGITS: readonly (readonly [minorDigits: number, codes: string])[] = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [
    2,
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU " +
      "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES " +
      "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR " +
      "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP " +
      "TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
  ],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
];

const MINOR_DIGITS: ReadonlyMap<string, number> = new Map(
  CODES_BY_MINOR_DIGITS.flatMap(([digits, codes]) => codes.split(" ").map((code) => [code, digits] as const)),
);

/** Codes that amounts may have, upper case. */
export const CURRENCY_CODES: readonly string[] = [...MINOR_DIGITS.keys()].sort();

/** What a column of type bigint holds at most, 2^63 − 1. */
export const LARGEST_MINOR = 2n ** 63n - 1n;

/** A JSON number without an exponent. A bigint column has 19 digits; to compute with 100,000 would only cost time. */
const DECIMAL = /^(-?(?:0|[1-9][0-9]{0,18}))(?:\.([0-9]+))?$/;

/** Minor units, both ends included. */
export interface AmountBounds {
  readonly leastMinor?: bigint;
  readonly mostMinor?: bigint;
}

/**
 * Digits after the point: 2 for USD, 0 for JPY.
 *
 * @throws CoreError CURRENCY_UNKNOWN, also for a code in lower case.
 */
export function minorDigitsOf(currency: string): number {
  const digits = MINOR_DIGITS.get(currency);
  if (digits === undefined) {
    throw new CoreError("CURRENCY_UNKNOWN", "the currency is no active code of ISO 4217 in upper case.");
  }
  return digits;
}

/**
 * Minor units of a decimal text: `"100.50"` of USD is `10050n`. Nothing is rounded. Without bounds it is at least one unit.
 *
 * @throws CoreError CURRENCY_UNKNOWN, or AMOUNT_INVALID for blanks, separators, exponents, `+`, leading zeros, decimals that the
 * currency does not have unless they are zero, and what is out of bounds. The text itself is never in the message.
 */
export function parseAmount(text: string, currency: string, bounds: AmountBounds = {}): bigint {
  const { leastMinor = 1n, mostMinor = LARGEST_MINOR } = bounds;
  const digits = minorDigitsOf(currency);
  const [, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) {
    throw new CoreError(
      "AMOUNT_INVALID",
      "the amount is no plain decimal number, of 19 digits at most before its point.",
    );
  }
  if (/[1-9]/.test(fraction.slice(digits))) {
    throw new CoreError("AMOUNT_INVALID", `the amount has more decimals than ${currency} has: ${digits}.`);
  }
  const minor = BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"));
  if (minor < leastMinor || minor > mostMinor) {
    const [least, most] = [leastMinor, mostMinor].map((bound) => formatAmount(bound, currency));
    throw new CoreError("AMOUNT_INVALID", `the amount is not between ${least} and ${most} ${currency}.`);
  }
  return minor;
}

/**
 * Decimal text with all digits of its currency: `10050n` of USD is `"100.50"`, of JPY `"10050"`.
 *
 * @throws CoreError CURRENCY_UNKNOWN.
 */
export function formatAmount(minor: bigint, currency: string): string {
  const digits = minorDigitsOf(currency);
  const sign = minor < 0n ? "-" : "";
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, "0");
  const point = text.length - digits;
  return digits === 0 ? sign + text : `${sign}${text.slice(0, point)}.${text.slice(point)}`;
}
