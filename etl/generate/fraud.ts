import { CHANNELS, KINDS, RESPONSE_CODES, STATUSES } from "../../lib/domain/codes.js";
import { type Population, population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import { UNITS_PER_EUR } from "../world/world.js";
import type { Draft } from "./row_buffer.js";

/** What fraud there is, and how many transactions an episode of it has. Amounts overlap with honest ones on purpose. */
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
 * Turns honest drafts into parts of fraud episodes: one episode at a time, its rows mixed among honest ones, so that a
 * pattern is not a solid block.
 */
export class FraudEpisodes {
  private readonly rng: Prng;
  private readonly people: Population = population();
  /** Chance that the next row begins an episode when none is under way. */
  private readonly startChance: number;
  /** Share of rows that belong to the episode under way. */
  private readonly density: number;
  private pattern = -1;
  private left = 0;
  private merchant = 0;
  private account = 0;

  constructor(rate: number, rng: Prng) {
    this.rng = rng;
    this.density = Math.max(0.5, rate);
    // An episode takes length / density rows, less what its first row does not wait; the gap that makes the whole come out
    // at `rate` is what is left.
    const gap =
      rate === 0
        ? Number.POSITIVE_INFINITY
        : MEAN_LENGTH * (1 / rate - 1 / this.density) + 1 / this.density - 1;
    this.startChance = 1 / (1 + gap);
  }

  /** @returns the index in FRAUD_PATTERNS of the pattern the draft now belongs to, or -1. */
  apply(draft: Draft): number {
    if (this.left === 0) {
      if (this.startChance === 0 || this.rng.unit() >= this.startChance) {
        return -1;
      }
      this.begin(draft);
    } else if (this.rng.unit() >= this.density) {
      return -1;
    }
    this.left--;
    draft.fraud = 1;
    draft.kind = PURCHASE;
    draft.originalId = 0;
    if (this.pattern === 0) {
      this.cardTesting(draft);
    } else if (this.pattern === 1) {
      this.takeover(draft);
    } else {
      this.collusion(draft);
    }
    return this.pattern;
  }

  private begin(draft: Draft): void {
    this.pattern = this.rng.below(FRAUD_PATTERNS.length);
    const { from, to } = FRAUD_PATTERNS[this.pattern] ?? { from: 1, to: 1 };
    this.left = from + this.rng.below(to - from + 1);
    this.account = draft.account;
    this.merchant = this.pattern === 2 && draft.channel !== ATM ? draft.merchant - 1 : this.onlineMerchant();
  }

  private cardTesting(draft: Draft): void {
    this.moveTo(draft, this.merchant);
    draft.cents = Math.round((50 + this.rng.below(350)) * this.unitsPerEur(draft));
    const declined = this.rng.unit() < 0.55;
    draft.status = declined ? DECLINED : APPROVED;
    draft.response = declined ? DO_NOT_HONOUR : 0;
  }

  private takeover(draft: Draft): void {
    const owner = this.account - 1;
    draft.account = this.account;
    draft.network = this.people.accountNetwork[owner] ?? 0;
    this.moveTo(draft, this.onlineMerchant());
    draft.cents = Math.round((6_000 + this.rng.below(60_000)) * this.unitsPerEur(draft));
    const declined = this.left === 0;
    draft.status = declined ? DECLINED : APPROVED;
    draft.response = declined ? TOO_OFTEN : 0;
  }

  private collusion(draft: Draft): void {
    this.moveTo(draft, this.merchant);
    const hundreds = 1 + this.rng.below(5);
    draft.cents = Math.round((hundreds * 10_000 - 100 - this.rng.below(1_500)) * this.unitsPerEur(draft));
    draft.status = APPROVED;
    draft.response = 0;
  }

  private onlineMerchant(): number {
    return this.people.onlineMerchants[this.rng.below(this.people.onlineMerchants.length)] ?? 0;
  }

  /** @param merchant index, counted from 0. */
  private moveTo(draft: Draft, merchant: number): void {
    const first = this.people.firstTerminal[merchant] ?? 0;
    const next = this.people.firstTerminal[merchant + 1] ?? first + 1;
    let terminal = first + this.rng.below(next - first);
    // Online terminals come first.
    if (this.pattern !== 2 && this.people.terminalChannel[first] === ECOM) {
      terminal = first;
    }
    draft.merchant = merchant + 1;
    draft.terminal = terminal + 1;
    draft.channel = this.people.terminalChannel[terminal] ?? 0;
    draft.currency = this.people.merchantCurrency[merchant] ?? 0;
  }

  private unitsPerEur(draft: Draft): number {
    return UNITS_PER_EUR[draft.currency] ?? 1;
  }
}
