import { POPULATION } from "../world/world.js";
import type { LeakRow } from "./row.js";

/** What the payments before one say about it, by name. */
export const HISTORY = [
  "account_payments_1h",
  "account_payments_24h",
  "account_amount_to_usual",
  "account_knows_merchant",
  "merchant_payments_10m_to_usual",
  "merchant_payments_1h_to_usual",
  "merchant_payments_24h_to_usual",
  "merchant_declined_1h",
] as const;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Times of the last payments, oldest first; as far back as they are asked for. */
class Recent {
  readonly #keptMs: number;
  #times: number[] = [];
  #from = 0;

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  add(timeMs: number): void {
    this.#times.push(timeMs);
    while ((this.#times[this.#from] ?? timeMs) < timeMs - this.#keptMs) {
      this.#from++;
    }
    if (this.#from > 64 && this.#from * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#from);
      this.#from = 0;
    }
  }

  since(timeMs: number): number {
    let [low, high] = [this.#from, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? 0) < timeMs) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.#times.length - low;
  }
}

class Account {
  readonly recent = new Recent(DAY_MS);
  /** A bit each: of many rows a set would hold most merchants, for each account. */
  readonly #merchants = new Uint8Array(POPULATION.merchants / 8 + 1);
  /** Of logarithms. */
  payments = 0;
  logAmounts = 0;

  knows(merchant: number): boolean {
    return ((this.#merchants[merchant >> 3] ?? 0) & (1 << (merchant & 7))) !== 0;
  }

  meet(merchant: number): void {
    this.#merchants[merchant >> 3] = (this.#merchants[merchant >> 3] ?? 0) | (1 << (merchant & 7));
  }
}

class Merchant {
  readonly recent = new Recent(DAY_MS);
  readonly declined = new Recent(HOUR_MS);
  payments = 0;
}

/** Follows payments in the order of their time and says of each what was known when it came. */
export class History {
  readonly #accounts = new Map<number, Account>();
  readonly #merchants = new Map<number, Merchant>();
  #beganMs: number | undefined;

  /** @returns a number for each of HISTORY. */
  take(row: LeakRow): number[] {
    const { timeMs } = row;
    this.#beganMs ??= timeMs;
    const account = entry(this.#accounts, row.account, () => new Account());
    const merchant = entry(this.#merchants, row.merchant, () => new Merchant());
    const logAmount = Math.log(row.amount);
    // As often in this time as ever since the first row, at least a part of one.
    const usual = (ms: number) => (merchant.payments * ms) / Math.max(ms, timeMs - (this.#beganMs ?? 0));
    const toUsual = (ms: number) => Math.log((merchant.recent.since(timeMs - ms) + 0.5) / (usual(ms) + 0.5));
    const features = [
      Math.log1p(account.recent.since(timeMs - HOUR_MS)),
      Math.log1p(account.recent.since(timeMs - DAY_MS)),
      account.payments === 0 ? 0 : logAmount - account.logAmounts / account.payments,
      account.knows(row.merchant) ? 1 : 0,
      toUsual(10 * MINUTE_MS),
      toUsual(HOUR_MS),
      toUsual(DAY_MS),
      Math.log1p(merchant.declined.since(timeMs - HOUR_MS)),
    ];
    account.recent.add(timeMs);
    account.meet(row.merchant);
    account.payments++;
    account.logAmounts += logAmount;
    merchant.recent.add(timeMs);
    merchant.payments++;
    if (row.status === "declined") {
      merchant.declined.add(timeMs);
    }
    return features;
  }
}

function entry<T>(map: Map<number, T>, key: number, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
