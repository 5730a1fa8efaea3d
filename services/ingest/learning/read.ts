import { minorDigitsOf } from "../../../lib/domain/money.js";
import { type Money, moneyOf, plainNumber } from "../domain/amount.js";
import { countryOf } from "../domain/country.js";
import { currencyOf } from "../domain/currency.js";
import type { FailureReason, StatusCategory } from "../domain/normalised.js";
import { instantOf } from "../domain/time.js";
import type { Leaf, Leaves } from "./leaves.js";
import { keyAt } from "./leaves.js";
import type { Mapping, TimeFormat, Unit } from "./mapping.js";
import { namesCents } from "./unit.js";

/** What a mapping finds in an event. */
export interface Read {
  readonly status: StatusCategory;
  readonly reason: FailureReason | null;
  /** Positive: decimal text in the currency's main unit, and minor units by ISO 4217. */
  readonly amount: string | null;
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly merchant: string | null;
  readonly country: string | null;
  readonly occurredAt: Date | null;
  readonly id: string | null;
  readonly paymentRef: string | null;
  /** How many digits its minor units have in this currency nobody knows: the amount is null. */
  readonly isUnitUnknown: boolean;
  /** Fields that have a text which is none of their kind: an amount that is undecidable, an impossible date. */
  readonly unreadable: readonly ("amount" | "currency" | "occurredAt" | "country")[];
}

/** Reads an event that the mapping fits. Nothing is guessed: what cannot be read is null, and named. */
export function readMapped(mapping: Mapping, leaves: Leaves): Read {
  const leafAt = (path: string | null | undefined) => (path == null ? undefined : leaves.get(path));
  const textAt = (path: string | null) => leafAt(path)?.text.trim() ?? null;
  const status = mapping.status.values[keyAt(leaves, mapping.status.paths)] ?? "UNPROCESSED";
  const currencyText = textAt(mapping.currency);
  const currency = currencyText === null ? null : (currencyOf(currencyText) ?? null);
  const amountLeaf = leafAt(mapping.amount?.path);
  const isUnitUnknown =
    amountLeaf !== undefined && mapping.amount?.unit === "minor" && !hasHundredths(amountLeaf, currency);
  const money =
    amountLeaf && mapping.amount && !isUnitUnknown
      ? moneyAt(amountLeaf, mapping.amount.unit, currency)
      : null;
  const time = leafAt(mapping.occurredAt?.path);
  const occurredAt = time && mapping.occurredAt ? timeOf(time.text, mapping.occurredAt.format) : null;
  const countryText = textAt(mapping.country);
  const country = countryText === null ? null : (countryOf(countryText) ?? null);
  const refused = status === "DECLINED" || status === "FAILED";
  const unreadable: Read["unreadable"] = [
    ...(amountLeaf && money === null && !isUnitUnknown ? (["amount"] as const) : []),
    ...(currencyText !== null && currency === null ? (["currency"] as const) : []),
    ...(time && occurredAt === null ? (["occurredAt"] as const) : []),
    ...(countryText !== null && country === null ? (["country"] as const) : []),
  ];
  return {
    status,
    reason:
      refused && mapping.reason ? (mapping.reason.values[keyAt(leaves, mapping.reason.paths)] ?? null) : null,
    amount: money?.amount.replace(/^-/, "") ?? null,
    amountMinor: absolute(money?.amountMinor ?? null),
    currency,
    merchant: textAt(mapping.merchant),
    country,
    occurredAt,
    id: textAt(mapping.id),
    paymentRef: textAt(mapping.paymentRef),
    isUnitUnknown,
    unreadable,
  };
}

const absolute = (minor: bigint | null): bigint | null => (minor !== null && minor < 0n ? -minor : minor);

/**
 * Minor units are hundredths, or called cents. Of currencies with other digits by ISO 4217 providers count as they like: CLP in whole
 * pesos or in hundredths. One without a currency is undecidable as it is.
 */
const hasHundredths = ({ path }: Leaf, currency: string | null): boolean =>
  currency === null || namesCents(path) || minorDigitsOf(currency) === 2;

/** Without a currency nobody knows what a unit is. */
function moneyAt({ type, text }: Leaf, unit: Unit, currency: string | null): Money | null {
  if (currency === null) {
    return null;
  }
  const plain = plainNumber(text, type === "number" ? "plain" : "any", currency);
  return (plain === undefined ? undefined : moneyOf(plain, unit === "minor" ? 2 : 0, currency)) ?? null;
}

function timeOf(text: string, format: TimeFormat): Date | null {
  return instantOf(text, format === "dmy" || format === "mdy" ? { order: format } : {})?.at ?? null;
}
