import { LARGEST_MINOR, minorDigitsOf } from "../../../lib/domain/money.js";

/** How a decimal number is written: `1234.50`, with commas between thousands, the other way round, or found out by looking. */
export type Notation = "plain" | "comma_decimal" | "point_decimal" | "any";

/** Signs and groups are gone: `-` where it is negative, then digits with a point. */
const PLAIN = /^-?[0-9]{1,30}(?:\.[0-9]{1,18})?$/;
const GROUPED = /^[1-9][0-9]{0,2}(?:([,.' \u00a0\u202f])[0-9]{2,3})*$/;

/**
 * A number as plain text, such as `-1234.50`: nothing is computed, so no digit is lost.
 *
 * With notation `any` the last of two separators is the decimal one. One alone before exactly three digits is decidable only where
 * the currency has no decimals: `15.000` CLP is 15000, but of USD it may be either.
 *
 * @param currency ISO 4217, null where it is not known
 * @returns undefined for what is no number, or not decidable.
 */
export function plainNumber(text: string, notation: Notation, currency: string | null): string | undefined {
  const trimmed = text.trim();
  if (notation === "plain") {
    return PLAIN.test(trimmed) ? trimmed : undefined;
  }
  const negative = /^[-\u2212]|[-\u2212]$|^\(.*\)$/.test(trimmed);
  const unsigned = trimmed.replace(/^[-+\u2212(]\s?|[-\u2212)]$/g, "");
  const decimal = notation === "any" ? decimalSeparator(unsigned, currency) : separatorOf(notation);
  if (decimal === undefined) {
    return undefined;
  }
  const at = decimal === "" ? -1 : unsigned.lastIndexOf(decimal);
  const whole = at < 0 ? unsigned : unsigned.slice(0, at);
  const fraction = at < 0 ? "" : unsigned.slice(at);
  const groups = groupsOf(whole, decimal);
  if (groups === undefined || !/^(?:[.,][0-9]{1,18})?$/.test(fraction)) {
    return undefined;
  }
  return `${negative ? "-" : ""}${groups}${fraction.replace(",", ".")}`;
}

function separatorOf(notation: Exclude<Notation, "plain" | "any">): string {
  return notation === "comma_decimal" ? "," : ".";
}

/** Empty where all separators are of groups. */
function decimalSeparator(text: string, currency: string | null): string | undefined {
  const separators = [...text.matchAll(/[.,]/g)];
  const last = separators.at(-1);
  if (last === undefined) {
    return "";
  }
  const [separator] = last;
  if (separators.some(([each]) => each !== separator)) {
    return separator;
  }
  if (separators.length > 1) {
    return "";
  }
  const threeFollow = text.length - last.index === 4;
  // `0.500` has no group before its point.
  if (!threeFollow || last.index > 3 || /^0/.test(text)) {
    return separator;
  }
  return currency !== null && minorDigitsOf(currency) === 0 ? "" : undefined;
}

/** The digits of `1.234.567`, where it is grouped with one separator, and not by the decimal one. */
function groupsOf(whole: string, decimal: string): string | undefined {
  if (/^[0-9]{1,30}$/.test(whole)) {
    return whole;
  }
  const separator = GROUPED.exec(whole)?.[1];
  if (separator === undefined || separator === decimal || whole.length > 40) {
    return undefined;
  }
  const [first = "", ...groups] = whole.split(separator);
  const last = groups.at(-1) ?? "";
  return last.length === 3 && groups.every((each) => /^[0-9]{2,3}$/.test(each))
    ? first + groups.join("")
    : undefined;
}

export interface Money {
  /** Decimal text in the currency's main unit. */
  readonly amount: string;
  /** By ISO 4217; null where the currency is not known. */
  readonly amountMinor: bigint | null;
}

/**
 * What a plain number is in a currency. Negative numbers stay so.
 *
 * @param digits of the unit that the number counts: 2 for cents, 0 for the main unit
 * @returns undefined where it is too large, or has decimals that the currency does not have and that are not zero.
 */
export function moneyOf(plain: string, digits: number, currency: string | null): Money | undefined {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(plain) ?? [];
  const all = (whole + fraction).padStart(fraction.length + digits + 1, "0");
  const point = all.length - fraction.length - digits;
  const shown = currency === null ? 2 : minorDigitsOf(currency);
  const units = all.slice(0, point).replace(/^0+(?=[0-9])/, "");
  const parts = all.slice(point);
  if (currency !== null && /[1-9]/.test(parts.slice(shown))) {
    return undefined;
  }
  const kept = (currency === null ? parts : parts.slice(0, shown)).padEnd(shown, "0");
  const minor = BigInt(units + kept);
  if (minor > LARGEST_MINOR) {
    return undefined;
  }
  const negative = sign !== "" && minor > 0n;
  return {
    amount: `${negative ? "-" : ""}${units}${kept === "" ? "" : `.${kept}`}`,
    amountMinor: currency === null ? null : minor * (negative ? -1n : 1n),
  };
}
