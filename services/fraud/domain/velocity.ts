const MINUTE_MS = 60_000;
/** Of customers the latest so many are remembered: some 4 MB, as most pay once. */
const MOST_CUSTOMERS = 20_000;

/**
 * How many payments each customer made in a minute of the payments' own time, so that a backlog is no crowd. Memory of one
 * process: another one counts for itself, a new one begins anew.
 */
export class Velocity {
  readonly #perMinute: number;
  readonly #mostCustomers: number;
  /** By customer, the one that paid longest ago first. */
  readonly #minutes = new Map<string, { readonly minute: number; readonly payments: string[] }>();

  /** @param perMinute payments that a customer may make in a minute; 0 for any number, and then nothing is remembered */
  constructor(perMinute: number, mostCustomers: number = MOST_CUSTOMERS) {
    this.#perMinute = perMinute;
    this.#mostCustomers = mostCustomers;
  }

  /** Remembers a payment. @returns whether its customer made as many before it in its minute; the same when it comes again. */
  isTooMany(customerId: string, paymentId: string, createdAt: string): boolean {
    if (this.#perMinute === 0) {
      return false;
    }
    const minute = Math.floor(Date.parse(createdAt) / MINUTE_MS);
    const known = this.#minutes.get(customerId);
    if (known !== undefined && known.minute > minute) {
      return false;
    }
    const payments = known?.minute === minute ? known.payments : [];
    if (payments.includes(paymentId)) {
      return false;
    }
    if (payments.length >= this.#perMinute) {
      return true;
    }
    payments.push(paymentId);
    this.#minutes.delete(customerId);
    this.#minutes.set(customerId, { minute, payments });
    this.#forget();
    return false;
  }

  #forget(): void {
    if (this.#minutes.size > this.#mostCustomers) {
      const [oldest] = this.#minutes.keys();
      this.#minutes.delete(oldest as string);
    }
  }
}
