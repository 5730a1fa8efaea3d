import { CHANNELS, RESPONSE_CODES, STATUSES } from "../../lib/domain/codes.js";
import { type Population, population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import { UNITS_PER_EUR } from "../world/world.js";
import { CARD_TESTING, COLLUSION, type FraudScheme, TAKEOVER } from "./fraud_patterns.js";
import type { RowBuffer } from "./row_buffer.js";

const ATM = CHANNELS.indexOf("atm");
const ECOM = CHANNELS.indexOf("ecom");
const APPROVED = STATUSES.indexOf("approved");
const DECLINED = STATUSES.indexOf("declined");
const DO_NOT_HONOUR = RESPONSE_CODES.indexOf("05");
const TOO_OFTEN = RESPONSE_CODES.indexOf("65");

/** Fraud that minds neither where its victims live nor what they pay: one column tells most of it. As generator version 2 had it. */
export class OpenFraud implements FraudScheme {
  readonly density = 0.5;
  readonly #rng: Prng;
  readonly #people: Population = population();
  #pattern = 0;
  #merchant = 0;
  #account = 0;

  constructor(rng: Prng) {
    this.#rng = rng;
  }

  start(pattern: number, row: RowBuffer): void {
    this.#pattern = pattern;
    this.#account = row.account;
    this.#merchant = pattern === COLLUSION && row.channel !== ATM ? row.merchant - 1 : this.#onlineMerchant();
  }

  apply(row: RowBuffer, left: number): void {
    if (this.#pattern === CARD_TESTING) {
      this.#cardTesting(row);
    } else if (this.#pattern === TAKEOVER) {
      this.#takeover(row, left);
    } else {
      this.#collusion(row);
    }
  }

  #cardTesting(row: RowBuffer): void {
    this.#moveTo(row, this.#merchant);
    row.cents = Math.round((50 + this.#rng.below(350)) * this.#unitsPerEur(row));
    const declined = this.#rng.unit() < 0.55;
    row.status = declined ? DECLINED : APPROVED;
    row.response = declined ? DO_NOT_HONOUR : 0;
  }

  #takeover(row: RowBuffer, left: number): void {
    const owner = this.#account - 1;
    row.account = this.#account;
    row.network = this.#people.accountNetwork[owner] ?? 0;
    this.#moveTo(row, this.#onlineMerchant());
    row.cents = Math.round((6_000 + this.#rng.below(60_000)) * this.#unitsPerEur(row));
    const declined = left === 0;
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
    if (this.#pattern !== COLLUSION && this.#people.terminalChannel[first] === ECOM) {
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
