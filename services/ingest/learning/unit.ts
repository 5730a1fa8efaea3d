import { wordsSay } from "./field_words.js";
import type { Leaf } from "./leaves.js";
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

/** An amount of an event, the digits of its currency, and the other numbers of the event. */
export interface AmountSample {
  readonly amount: Leaf;
  readonly minorDigits: number;
  readonly others: readonly Leaf[];
}

export interface UnitEvidence {
  readonly unit: Unit;
  readonly by: "name" | "point" | "second field";
}

/**
 * What the events themselves say of an amount's unit, beyond what a model says: its name (`amount_in_cents`), a fraction, or a second
 * field that holds the same amount in the other unit. Evidence that contradicts itself is all there: nothing is decided by it.
 */
export function unitEvidence(samples: readonly AmountSample[]): readonly UnitEvidence[] {
  const found: UnitEvidence[] = [];
  const words = samples.flatMap(({ amount }) => nearWords(amount.path));
  if (words.some((word) => MINOR_WORDS.test(word))) {
    found.push({ unit: "minor", by: "name" });
  }
  if (words.some((word) => MAJOR_WORDS.test(word))) {
    found.push({ unit: "major", by: "name" });
  }
  if (samples.some(({ amount }) => FRACTION.test(amount.text.trim()))) {
    found.push({ unit: "major", by: "point" });
  }
  const units = new Set(samples.flatMap(bySecondField));
  return [...found, ...[...units].map((unit) => ({ unit, by: "second field" }) as const)];
}

/**
 * The unit of an amount beside the same amount in the other unit. A zero says nothing, nor does a field that is no amount by its name:
 * a fee of 1 % would look like it.
 */
function bySecondField({ amount, minorDigits, others }: AmountSample): readonly Unit[] {
  const text = amount.text.trim();
  const isMajor = (each: string) =>
    /^-?\d{1,15}\.\d+$/.test(each) && each.split(".")[1]?.length === minorDigits;
  if (minorDigits === 0 || /^[-0.]*$/.test(text)) {
    return [];
  }
  return others.flatMap(({ path, text: other }): Unit[] => {
    if (path === amount.path || wordsSay("amount", path) !== "for") {
      return [];
    }
    if (WHOLE.test(text) && isMajor(other) && sameAmount(text, other)) {
      return ["minor"];
    }
    return isMajor(text) && WHOLE.test(other) && sameAmount(other, text) ? ["major"] : [];
  });
}

const sameAmount = (minor: string, major: string): boolean =>
  BigInt(minor) === BigInt(major.replace(".", ""));
