import { CHANNELS, KINDS, RESPONSE_CODES, STATUSES } from "../../lib/domain/codes.js";
import type { Population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import { lognormalTable, slotsByWeight } from "../world/sampling.js";
import { CATEGORIES, UNITS_PER_EUR } from "../world/world.js";
import type { RowBuffer } from "./row_buffer.js";

/** What a payment costs at a shop, and what becomes of it. */

const ATM = CHANNELS.indexOf("atm");
const [PURCHASE, CASH] = KINDS.map((_, index) => index) as [number, number];
const [APPROVED, DECLINED, REVERSED] = STATUSES.map((_, index) => index) as [number, number, number];

const REVERSED_SHARE = 0.004;
/** By channel: pos, ecom, atm. */
const DECLINE_SHARE = [0.022, 0.061, 0.034] as const;
/** The dearest tenth of payments is declined more often. */
const DEAR_DECLINE_SHARE = 0.05;
/** Why legitimate payments are declined. */
const DECLINE_SLOTS = slotsByWeight(
  RESPONSE_CODES.map(
    (code) => ({ "51": 46, "05": 24, "61": 9, "65": 5, "54": 8, "91": 5, "59": 3 })[code as string] ?? 0,
  ),
  256,
);

/** Fine enough beside the levels of merchant and account; all categories together stay in the processor's cache. */
export const AMOUNT_QUANTILES = 1_024;
const AMOUNTS = CATEGORIES.map((category) =>
  lognormalTable(category.sigma, AMOUNT_QUANTILES).map((factor) => factor * category.medianEur),
);

/**
 * The amount that account and merchant of a row make of a quantile of the category's.
 *
 * @param quantile 0 … AMOUNT_QUANTILES - 1, from cheap to dear
 * @param ending 0 … 15: prices end in .99 or .00 more often than chance has it
 */
export function price(row: RowBuffer, people: Population, quantile: number, ending: number): void {
  const merchant = row.merchant - 1;
  const category = people.merchantCategory[merchant] ?? 0;
  const level =
    ((people.merchantLevel[merchant] ?? 1_000) * (people.accountLevel[row.account - 1] ?? 1_000)) / 1e6;
  const units = (AMOUNTS[category]?.[quantile] ?? 1) * level * (UNITS_PER_EUR[row.currency] ?? 1);
  if (row.channel === ATM) {
    row.kind = CASH;
    row.cents = Math.max(1, Math.round(units / 10)) * 1_000;
    return;
  }
  row.kind = PURCHASE;
  if (ending < 4) {
    row.cents = Math.floor(units) * 100 + 99;
  } else if (ending < 6) {
    row.cents = Math.ceil(units) * 100;
  } else {
    row.cents = Math.round(units * 100);
  }
}

/** Approves, declines or reverses a payment as honest ones are. @param quantile of its price: dear ones are declined more often. */
export function decide(row: RowBuffer, rng: Prng, quantile: number): void {
  const dear = quantile >= AMOUNT_QUANTILES * 0.9;
  decideAt(row, rng, (DECLINE_SHARE[row.channel] ?? 0) + (dear ? DEAR_DECLINE_SHARE : 0));
}

/** The same at another share of declined ones. */
export function decideAt(row: RowBuffer, rng: Prng, declinedShare: number): void {
  const ticket = rng.unit();
  if (ticket < declinedShare) {
    row.status = DECLINED;
    row.response = DECLINE_SLOTS[rng.below(DECLINE_SLOTS.length)] ?? 1;
  } else {
    row.status = ticket < declinedShare + REVERSED_SHARE ? REVERSED : APPROVED;
    row.response = 0;
  }
}
