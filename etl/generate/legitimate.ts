import { KINDS, STATUSES } from "../../lib/domain/codes.js";
import type { PlannedChunk } from "../plan.js";
import { hourOfWeek } from "../world/calendar.js";
import { type Population, population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import { slotsByWeight } from "../world/sampling.js";
import { activity, COUNTRIES, WHOLE_UNIT_CURRENCIES } from "../world/world.js";
import { AMOUNT_QUANTILES, decide, price } from "./purchase.js";
import type { RowBuffer } from "./row_buffer.js";

const HOUR_MS = 3_600_000;
const PURCHASE = KINDS.indexOf("purchase");
const REFUND = KINDS.indexOf("refund");
const APPROVED = STATUSES.indexOf("approved");

/** Small numbers, so that they can be checked against the data. */
export const FOREIGN_SHARE = 0.07;
const REFUND_SHARE = 0.012;
const FULL_REFUND_SHARE = 0.7;
/** By UTC hour of the week: countries repeated by how awake they are. */
const COUNTRY_SLOTS = Array.from({ length: 168 }, (_, hour) =>
  slotsByWeight(
    COUNTRIES.map((country) => activity(country, hour)),
    2_048,
  ),
);
/** Purchases a refund may go back to. */
const MEMORY = 512;

/** Draws legitimate payments in the order of their time. */
export class LegitimateTraffic {
  readonly #people: Population = population();
  readonly #chunk: PlannedChunk;
  readonly #rng: Prng;
  #hour = 0;
  /** The last purchases that could be refunded, in a ring; cents 0 means none or given back. */
  readonly #memory = {
    id: new Float64Array(MEMORY),
    cents: new Float64Array(MEMORY),
    account: new Int32Array(MEMORY),
    merchant: new Int32Array(MEMORY),
    terminal: new Int32Array(MEMORY),
    currency: new Uint8Array(MEMORY),
    channel: new Uint8Array(MEMORY),
    network: new Uint8Array(MEMORY),
  };
  #remembered = 0;

  constructor(chunk: PlannedChunk, rng: Prng) {
    this.#chunk = chunk;
    this.#rng = rng;
  }

  /** Everything of the row but its txnId. @param index counted from the chunk's first row. */
  draw(row: RowBuffer, index: number): void {
    row.fraud = 0;
    row.originalId = 0;
    row.timeMs = this.#timeOf(index);
    if (this.#rng.unit() < REFUND_SHARE && this.#refund(row)) {
      return;
    }
    this.#place(row);
    const quantile = this.#rng.below(AMOUNT_QUANTILES);
    price(row, this.#people, quantile, this.#rng.u32() & 15);
    decide(row, this.#rng, quantile);
  }

  /** Amounts exist in coins of their currency only; nothing is free. */
  roundToCoins(row: RowBuffer): void {
    const coin = WHOLE_UNIT_CURRENCIES[row.currency] ? 100 : 1;
    row.cents = Math.max(coin, Math.round(row.cents / coin) * coin);
  }

  /** A row that will stay in the data: refunds may refer to it. */
  remember(row: RowBuffer): void {
    if (row.kind !== PURCHASE || row.status !== APPROVED || row.fraud !== 0) {
      return;
    }
    const slot = this.#remembered++ % MEMORY;
    const memory = this.#memory;
    memory.id[slot] = row.txnId;
    memory.cents[slot] = row.cents;
    memory.account[slot] = row.account;
    memory.merchant[slot] = row.merchant;
    memory.terminal[slot] = row.terminal;
    memory.currency[slot] = row.currency;
    memory.channel[slot] = row.channel;
    memory.network[slot] = row.network;
  }

  /** Row number → time: the rows of a month spread over its hours by their weight, in order. */
  #timeOf(index: number): number {
    const { month, fromRow } = this.#chunk;
    const cumulative = month.cumulative;
    const last = cumulative.length - 2;
    const share = (fromRow + index + this.#rng.unit()) / month.rows;
    const target = share * (cumulative[last + 1] ?? 0);
    while (this.#hour < last && (cumulative[this.#hour + 1] ?? 0) <= target) {
      this.#hour++;
    }
    const from = cumulative[this.#hour] ?? 0;
    const within = (target - from) / ((cumulative[this.#hour + 1] ?? 0) - from);
    return month.startMs + this.#hour * HOUR_MS + Math.min(HOUR_MS - 1, Math.floor(within * HOUR_MS));
  }

  #place(row: RowBuffer): void {
    const rng = this.#rng;
    const people = this.#people;
    const countries = COUNTRY_SLOTS[hourOfWeek(row.timeMs)] ?? EMPTY;
    const country = countries[rng.below(countries.length)] ?? 0;
    const account = people.accountsOf[country]?.draw(rng) ?? 0;
    const merchants = rng.unit() < FOREIGN_SHARE ? people.merchantsAnywhere : people.merchantsOf[country];
    const merchant = merchants?.draw(rng) ?? 0;
    const first = people.firstTerminal[merchant] ?? 0;
    const terminal = first + rng.below((people.firstTerminal[merchant + 1] ?? first + 1) - first);
    row.account = account + 1;
    row.merchant = merchant + 1;
    row.terminal = terminal + 1;
    row.network = people.accountNetwork[account] ?? 0;
    row.channel = people.terminalChannel[terminal] ?? 0;
    row.currency = people.merchantCurrency[merchant] ?? 0;
  }

  /** @returns false when the purchase it hit on has been given back or there is none. */
  #refund(row: RowBuffer): boolean {
    const rng = this.#rng;
    const memory = this.#memory;
    const slot = rng.below(MEMORY);
    const paid = memory.cents[slot] ?? 0;
    if (paid === 0) {
      return false;
    }
    memory.cents[slot] = 0;
    row.originalId = memory.id[slot] ?? 0;
    row.account = memory.account[slot] ?? 0;
    row.merchant = memory.merchant[slot] ?? 0;
    row.terminal = memory.terminal[slot] ?? 0;
    row.currency = memory.currency[slot] ?? 0;
    row.channel = memory.channel[slot] ?? 0;
    row.network = memory.network[slot] ?? 0;
    row.kind = REFUND;
    row.cents = rng.unit() < FULL_REFUND_SHARE ? paid : Math.ceil(paid * rng.unit());
    row.status = APPROVED;
    row.response = 0;
    return true;
  }
}

const EMPTY = new Int32Array(0);
