import { CHANNELS, KINDS, RESPONSE_CODES, STATUSES } from "../../lib/domain/codes.js";
import { type Population, population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import { UNITS_PER_EUR } from "../world/world.js";
import type { RowBuffer } from "./row_buffer.js";

/** What fraud there is, and how many transactions an episode of it has. Amounts overlap with legitimate ones on purpose. */
export const FRAUD_PATTERNS = [
  /** Stolen cards tried one after another with small sums at one online shop. */
  { class: "card_testing", from: 6, to: 20 },
  /** One account emptied within minutes, at shops its owner does not know. */
  { class: "account_takeover", from: 3, to: 8 },
  /** A shop that charges many cards just under a round sum. */
  { class: "collusive_merchant", from: 10, to: 30 },
] as const;

const MEAN_LENGTH =
  FRAUD_PATTERNS.reduce((sum, pattern) => sum + (pattern.from + pattern.to) / 2, 0) / FRAUD_PATTERNS.length;
const ATM = CHANNELS.indexOf("atm");
const ECOM = CHANNELS.indexOf("ecom");
const PURCHASE = KINDS.indexOf("purchase");
const APPROVED = STATUSES.indexOf("approved");
const DECLINED = STATUSES.indexOf("declined");
const DO_NOT_HONOUR = RESPONSE_CODES.indexOf("05");
const TOO_OFTEN = RESPONSE_CODES.indexOf("65");

/**
 * Turns legitimate rows into parts of fraud episodes: one episode at a time, its rows mixed among legitimate ones, so that a
 * pattern is not a solid block.
 */
export class FraudEpisodes {
  readonly #rng: Prng;
  readonly #people: Population = population();
  /** Chance that the next row begins an episode when none is under way. */
  readonly #startChance: number;
  /** Share of rows that belong to the episode under way. */
  readonly #density: number;
  #pattern = -1;
  #left = 0;
  #merchant = 0;
  #account = 0;

  constructor(rate: number, rng: Prng) {
    this.#rng = rng;
    this.#density = Math.max(0.5, rate);
    // An episode takes length / density rows, less what its first row does not wait; the gap that makes the whole come out
    // at `rate` is what is left.
    const gap =
      rate === 0
        ? Number.POSITIVE_INFINITY
        : MEAN_LENGTH * (1 / rate - 1 / this.#density) + 1 / this.#density - 1;
    this.#startChance = 1 / (1 + gap);
  }

  /** @returns the index in FRAUD_PATTERNS of the pattern the row now belongs to, or -1. */
  apply(row: RowBuffer): number {
    if (this.#left === 0) {
      if (this.#startChance === 0 || this.#rng.unit() >= this.#startChance) {
        return -1;
      }
      this.#begin(row);
    } else if (this.#rng.unit() >= this.#density) {
      return -1;
    }
    this.#left--;
    row.fraud = 1;
    row.kind = PURCHASE;
    row.originalId = 0;
    if (this.#pattern === 0) {
      this.#cardTesting(row);
    } else if (this.#pattern === 1) {
      this.#takeover(row);
    } else {
      this.#collusion(row);
    }
    return this.#pattern;
  }

  #begin(row: RowBuffer): void {
    this.#pattern = this.#rng.below(FRAUD_PATTERNS.length);
    const { from, to } = FRAUD_PATTERNS[this.#pattern] ?? { from: 1, to: 1 };
    this.#left = from + this.#rng.below(to - from + 1);
    this.#account = row.account;
    this.#merchant = this.#pattern === 2 && row.channel !== ATM ? row.merchant - 1 : this.#onlineMerchant();
  }

  #cardTesting(row: RowBuffer): void {
    this.#moveTo(row, this.#merchant);
    row.cents = Math.round((50 + this.#rng.below(350)) * this.#unitsPerEur(row));
    const declined = this.#rng.unit() < 0.55;
    row.status = declined ? DECLINED : APPROVED;
    row.response = declined ? DO_NOT_HONOUR : 0;
  }

  #takeover(row: RowBuffer): void {
    const owner = this.#account - 1;
    row.account = this.#account;
    row.network = this.#people.accountNetwork[owner] ?? 0;
    this.#moveTo(row, this.#onlineMerchant());
    row.cents = Math.round((6_000 + this.#rng.below(60_000)) * this.#unitsPerEur(row));
    const declined = this.#left === 0;
    row.status = declined ? DECLINED : APPROVED;
    row.response = declined ? TOO_OFTEN : 0;
  }

  #collusion(row: RowBuffer): void {
    this.#moveTo(row, this.#merchant);
    const hundreds = 1 + this.#rng.below(5);
    row.cents = Math.round((hundreds * 10_000 - 100 - this.#rng.below(1_500)) * this.#unitsPerEur(row));
    row.status = APPROVED;
    row.response = 0;
  }

  #onlineMerchant(): number {
    return this.#people.onlineMerchants[this.#rng.below(this.#people.onlineMerchants.length)] ?? 0;
  }

  /** @param merchant index, counted from 0. */
  #moveTo(row: RowBuffer, merchant: number): void {
    const first = this.#people.firstTerminal[merchant] ?? 0;
    const next = this.#people.firstTerminal[merchant + 1] ?? first + 1;
    let terminal = first + this.#rng.below(next - first);
    // Online terminals come first.
    if (this.#pattern !== 2 && this.#people.terminalChannel[first] === ECOM) {
      terminal = first;
    }
    row.merchant = merchant + 1;
    row.terminal = terminal + 1;
    row.channel = this.#people.terminalChannel[terminal] ?? 0;
    row.currency = this.#people.merchantCurrency[merchant] ?? 0;
  }

  #unitsPerEur(row: RowBuffer): number {
    return UNITS_PER_EUR[row.currency] ?? 1;
  }
}
