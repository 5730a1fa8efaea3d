import { minorDigitsOf } from "../../../lib/domain/money.js";
import { wordsSay } from "./field_words.js";
import type { Leaf, Leaves } from "./leaves.js";
import type { Unit } from "./mapping.js";
import { beginning, wordsOf } from "./words.js";

const MINOR_WORDS = beginning("cents?$ centavos? centimos? centimes? minor$ pence$ subunit kopek");
const CENTS_WORDS = beginning("cents?$ centavos? centimos? centimes? pence$");
const MAJOR_WORDS = beginning("major$ decimal$");
/**
 * With a fraction it is no whole number of minor units: `12.50`, `1.540,50`. A lone `1.234` may be either and says nothing, nor does
 * `5000.00`, as some write their cents.
 */
const FRACTION =
  /^-?(?:\d+[.,](?!0+$)\d{1,2}|\d{1,3}(?:[. ]\d{3})+,(?!0+$)\d{1,3}|\d{1,3}(?:[, ]\d{3})+\.(?!0+$)\d{1,3})$/;
const WHOLE = /^-?\d{1,18}$/;

const nearWords = (path: string): readonly string[] => wordsOf(path.split("/").slice(-2).join(" "));

/** Whether it counts hundredths by its name, whatever its currency has. */
export const namesCents = (path: string): boolean => nearWords(path).some((word) => CENTS_WORDS.test(word));

/** An amount of an event, the digits of its currency, and all that the event has. */
export interface AmountSample {
  readonly amount: Leaf;
  readonly minorDigits: number;
  readonly leaves: Leaves;
}

/** Undefined without an amount or a currency. */
export function amountSampleOf(
  leaves: Leaves,
  path: string,
  currency: string | null,
): AmountSample | undefined {
  const amount = leaves.get(path);
  return amount === undefined || currency === null
    ? undefined
    : { amount, minorDigits: minorDigitsOf(currency), leaves };
}

export interface UnitEvidence {
  readonly unit: Unit;
  readonly by: "name" | "point" | "second field";
  /** Enough for a rule; else it only speaks against a mapping that says otherwise. */
  readonly proves: boolean;
}

/** Different amounts that a second field must hold too: one such pair may be by chance, 50.00 a piece beside 5000. */
const PROVING_PAIRS = 5;

/**
 * What events of one kind say of an amount's unit, beyond what a model says: its name (`amount_in_cents`), a fraction, or a second
 * field that holds the same amount in the other unit. Evidence that contradicts itself is all there: nothing is decided by it.
 */
export function unitEvidence(samples: readonly AmountSample[]): readonly UnitEvidence[] {
  const found: UnitEvidence[] = [];
  const words = samples.flatMap(({ amount }) => nearWords(amount.path));
  if (words.some((word) => MINOR_WORDS.test(word))) {
    found.push({ unit: "minor", by: "name", proves: true });
  }
  if (words.some((word) => MAJOR_WORDS.test(word))) {
    found.push({ unit: "major", by: "name", proves: true });
  }
  if (samples.some(({ amount }) => FRACTION.test(amount.text.trim()))) {
    found.push({ unit: "major", by: "point", proves: true });
  }
  const paths = new Set(samples.flatMap(({ leaves }) => [...leaves.keys()]));
  return [...found, ...[...paths].flatMap((path) => bySecondField(samples, path))];
}

/** Whether an event tells its amount's unit itself. */
export const tellsUnit = (sample: AmountSample, unit: Unit): boolean =>
  unitEvidence([sample]).some((evidence) => evidence.unit === unit) ||
  // Where it is known that fractions are written, 12.00 has one too.
  (unit === "major" && /[.,]\d{2}$/.test(sample.amount.text.trim()));

/**
 * What a field says that holds the same amount in the other unit, in each event that has both: a single one that differs, and it is
 * another thing. A zero says nothing, nor does a field that is no amount by its name: a fee of 1 % would look like it.
 */
function bySecondField(samples: readonly AmountSample[], path: string): readonly UnitEvidence[] {
  if (wordsSay("amount", path) !== "for") {
    return [];
  }
  const pairs = samples.flatMap(({ amount, minorDigits, leaves }) => {
    const other = leaves.get(path);
    const isTelling = other !== undefined && amount.path !== path && !/^[-0.]*$/.test(amount.text.trim());
    return isTelling
      ? [{ text: amount.text.trim(), unit: unitBeside(amount.text, other.text, minorDigits) }]
      : [];
  });
  const [first] = pairs;
  if (first?.unit === undefined || pairs.some(({ unit }) => unit !== first.unit)) {
    return [];
  }
  const proves = new Set(pairs.map(({ text }) => text)).size >= PROVING_PAIRS;
  // A field that is there now and then, and few times: a price of a piece.
  return proves || pairs.length === samples.length ? [{ unit: first.unit, by: "second field", proves }] : [];
}

/** The unit of an amount beside a number that is the same amount in the other unit; undefined: it is not. */
function unitBeside(amount: string, other: string, minorDigits: number): Unit | undefined {
  const [text, beside] = [amount.trim(), other.trim()];
  // Some count hundredths whatever the currency has.
  const isMajor = (each: string) =>
    /^-?\d{1,15}\.\d+$/.test(each) && [2, minorDigits].includes(each.split(".")[1]?.length ?? 0);
  if (WHOLE.test(text) && isMajor(beside) && sameAmount(text, beside)) {
    return "minor";
  }
  return isMajor(text) && WHOLE.test(beside) && sameAmount(beside, text) ? "major" : undefined;
}

const sameAmount = (minor: string, major: string): boolean =>
  BigInt(minor) === BigInt(major.replace(".", ""));
