import { minorDigitsOf } from "../../../lib/domain/money.js";
import { type Money, moneyOf, plainNumber } from "./amount.js";
import type { CompiledAmount, CompiledRule } from "./compile.js";
import type { StatusCategory } from "./normalised.js";
import { type Found, find, findFirst, type Scope } from "./path.js";
import { Refusal } from "./refusal.js";

interface About {
  readonly status: StatusCategory;
  readonly currency: string | null;
}

/**
 * What an event moves, without a sign, by the first place of the rule that is for its status and has something.
 *
 * @throws Refusal UNDECIDABLE for what is there and is no amount.
 */
export function readAmount(
  rule: CompiledRule,
  scope: Scope,
  about: About,
): (Money & { readonly found: Found }) | undefined {
  for (const each of rule.amount) {
    const applies = each.for === undefined || each.for.get(about.status) === true;
    if (applies && (each.place.ifAlone !== true || isAlone(each, scope))) {
      const money = amountAt(each, rule, scope, about);
      if (money !== undefined) {
        return money;
      }
    }
  }
  return undefined;
}

/** In each list from the one that the record was cut from up to what its path begins at. */
function isAlone({ at }: CompiledAmount, { levels }: Scope): boolean {
  const up = at[0]?.up ?? 0;
  return levels.slice(levels.length - up).every(({ siblings }) => siblings === 1);
}

function amountAt(
  compiled: CompiledAmount,
  rule: CompiledRule,
  scope: Scope,
  { status, currency }: About,
): (Money & { readonly found: Found }) | undefined {
  const found = findFirst(compiled.at, scope);
  const parts = found === undefined ? compiled.sum.map((path) => find(path, scope)).filter(isFound) : [found];
  const [first] = parts;
  if (first === undefined) {
    return undefined;
  }
  const { unit, notation = "plain", signed = false } = compiled.place;
  if (unit === "minor" && currency === null) {
    // How many cents there are to an unknown unit nobody knows.
    return undefined;
  }
  const read = (text: string) => {
    const plain = plainNumber(text, notation, currency);
    // A minor unit has no fraction: what is written with one is of another unit, and which, nobody knows.
    const money =
      plain === undefined || (unit !== "major" && plain.includes("."))
        ? undefined
        : moneyOf(plain, digitsOf(compiled, rule, scope, currency), currency);
    if (money === undefined) {
      throw new Refusal("UNDECIDABLE", "its amount is no number, or no amount of its currency");
    }
    return money;
  };
  const before = compiled.minus === undefined ? undefined : find(compiled.minus, scope);
  const money = [...parts.slice(1).map((each) => read(each.text))].reduce(
    (sum, each) => added(sum, each, 1n, currency),
    read(first.text),
  );
  const moved = before === undefined ? money : added(money, read(before.text), -1n, currency);
  const negative = moved.amount.startsWith("-");
  if (negative && !signed && status !== "REFUNDED" && status !== "CHARGEBACK") {
    throw new Refusal("UNDECIDABLE", "its amount is negative");
  }
  return { ...(negative ? opposite(moved) : moved), found: first };
}

const isFound = (found: Found | undefined): found is Found => found !== undefined;

/** Decimals of the unit that an amount counts. */
function digitsOf(
  { place, exponent }: CompiledAmount,
  { digits }: CompiledRule,
  scope: Scope,
  currency: string | null,
): number {
  if (place.unit === "major") {
    return 0;
  }
  if (place.unit === "cents" || currency === null) {
    return 2;
  }
  const told = exponent === undefined ? undefined : find(exponent, scope)?.text;
  if (told !== undefined && /^[0-4]$/.test(told)) {
    return Number(told);
  }
  return digits[currency] ?? minorDigitsOf(currency);
}

function added(a: Money, b: Money, sign: 1n | -1n, currency: string | null): Money {
  const fraction = Math.max(...[a, b].map(({ amount }) => amount.split(".")[1]?.length ?? 0));
  const units = (each: Money) => {
    const [whole = "", decimals = ""] = each.amount.split(".");
    return BigInt(whole + decimals.padEnd(fraction, "0"));
  };
  const sum = units(a) + sign * units(b);
  return moneyOf(String(sum), fraction, currency) ?? a;
}

function opposite({ amount, amountMinor }: Money): Money {
  return { amount: amount.slice(1), amountMinor: amountMinor === null ? null : -amountMinor };
}
