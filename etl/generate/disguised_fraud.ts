import { CHANNELS } from "../../lib/domain/codes.js";
import { type Population, population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import type { AliasTable } from "../world/sampling.js";
import { CARD_TESTING, FRAUD_PATTERNS, type FraudScheme, TAKEOVER } from "./fraud_patterns.js";
import { FOREIGN_SHARE } from "./legitimate.js";
import { AMOUNT_QUANTILES, decide, decideAt, price } from "./purchase.js";
import type { RowBuffer } from "./row_buffer.js";

interface Disguise {
  readonly density: number;
  /** Shops at which cards are tried, or which charge them together. */
  readonly shops: number;
  /** Share of prices that lean: to small sums for cards that are tried, to large ones from an account that is emptied. */
  readonly lean: number;
  /** Share of tried cards that are declined. */
  readonly declined: number;
  /** Share of emptied accounts whose last payment is declined. */
  readonly stopped: number;
}

/** How well fraud hides. What is left to see is how often, how fast and where: payments together, not one by one. */
export const DISGUISES = {
  medium: { density: 0.08, shops: 3, lean: 0.7, declined: 0.25, stopped: 0.5 },
  hard: { density: 0.06, shops: 6, lean: 0.25, declined: 0.09, stopped: 0.15 },
} as const satisfies Readonly<Record<string, Disguise>>;

const ATM = CHANNELS.indexOf("atm");
const LONGEST = Math.max(...FRAUD_PATTERNS.map(({ to }) => to));

/**
 * Fraud whose payments, one by one, look like those of its victims and shops: as often at home, at hours when people are awake,
 * at what the shop's category costs.
 */
export class DisguisedFraud implements FraudScheme {
  readonly density: number;
  readonly #disguise: Disguise;
  readonly #rng: Prng;
  readonly #people: Population = population();
  #pattern = 0;
  /** Indices, counted from 0. */
  readonly #shops: number[] = [];
  #account = 0;

  /** @param rows of the chunk: an episode ends with it, so in a small one it takes half of it at most. */
  constructor(disguise: Disguise, rows: number, rng: Prng) {
    this.density = Math.min(1, Math.max(disguise.density, (2 * LONGEST) / rows));
    this.#disguise = disguise;
    this.#rng = rng;
  }

  start(pattern: number, row: RowBuffer): void {
    this.#pattern = pattern;
    this.#account = row.account - 1;
    this.#shops.length = 0;
  }

  apply(row: RowBuffer, left: number): void {
    if (this.#pattern === TAKEOVER) {
      this.#empty(row, left);
      return;
    }
    const shop = this.#oneOfShops(row);
    this.#move(row, this.#customerOf(row, shop), shop);
    if (this.#pattern === CARD_TESTING) {
      this.#charge(row, this.#cheap());
      decideAt(row, this.#rng, this.#disguise.declined);
    } else {
      const quantile = this.#rng.below(AMOUNT_QUANTILES);
      this.#charge(row, quantile);
      decide(row, this.#rng, quantile);
    }
  }

  /** One more payment of the account, dear ones first of all. */
  #empty(row: RowBuffer, left: number): void {
    this.#move(row, this.#account, this.#shopOf(this.#account));
    const quantile = AMOUNT_QUANTILES - 1 - this.#cheap();
    this.#charge(row, quantile);
    if (left === 0) {
      decideAt(row, this.#rng, this.#disguise.stopped);
    } else {
      decide(row, this.#rng, quantile);
    }
  }

  /** A quantile of the price: when it leans, the lower of two. */
  #cheap(): number {
    const quantile = this.#rng.below(AMOUNT_QUANTILES);
    return this.#rng.unit() < this.#disguise.lean
      ? Math.min(quantile, this.#rng.below(AMOUNT_QUANTILES))
      : quantile;
  }

  #charge(row: RowBuffer, quantile: number): void {
    price(row, this.#people, quantile, this.#rng.u32() & 15);
  }

  /** The first ones are those of honest payments: so they are where people are awake, and as large as shops are. */
  #oneOfShops(row: RowBuffer): number {
    if (this.#shops.length < this.#disguise.shops) {
      const shop = row.channel === ATM ? this.#shopOf(row.account - 1) : row.merchant - 1;
      this.#shops.push(shop);
      return shop;
    }
    return this.#shops[this.#rng.below(this.#shops.length)] ?? 0;
  }

  /** A shop where the account might pay: in its country, but for as many as honest ones go abroad. */
  #shopOf(account: number): number {
    const { accountCountry, merchantsAnywhere } = this.#people;
    return this.#rng.unit() < FOREIGN_SHARE
      ? this.#shopAmong(merchantsAnywhere)
      : this.#shopIn(accountCountry[account] ?? 0);
  }

  #shopIn(country: number): number {
    return this.#shopAmong(this.#people.merchantsOf[country]);
  }

  #shopAmong(merchants: AliasTable | undefined): number {
    const { firstTerminal, terminalChannel } = this.#people;
    for (;;) {
      const merchant = merchants?.draw(this.#rng) ?? 0;
      // One in twenty-five is a cash machine.
      if (terminalChannel[firstTerminal[merchant] ?? 0] !== ATM) {
        return merchant;
      }
    }
  }

  /** An account that might pay at the episode's shop: the honest payer if he lives there, but for as many as come from abroad. */
  #customerOf(row: RowBuffer, shop: number): number {
    const people = this.#people;
    const account = row.account - 1;
    const country = people.merchantCountry[shop] ?? 0;
    if (people.accountCountry[account] === country || this.#rng.unit() < FOREIGN_SHARE) {
      return account;
    }
    return people.accountsOf[country]?.draw(this.#rng) ?? account;
  }

  #move(row: RowBuffer, account: number, merchant: number): void {
    const people = this.#people;
    const first = people.firstTerminal[merchant] ?? 0;
    const terminal = first + this.#rng.below((people.firstTerminal[merchant + 1] ?? first + 1) - first);
    row.account = account + 1;
    row.network = people.accountNetwork[account] ?? 0;
    row.merchant = merchant + 1;
    row.terminal = terminal + 1;
    row.channel = people.terminalChannel[terminal] ?? 0;
    row.currency = people.merchantCurrency[merchant] ?? 0;
  }
}
