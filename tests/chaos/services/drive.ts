import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { formatAmount } from "../../../lib/domain/money.js";
import { Client } from "./client.js";
import { bodyOf, type Customer, type Load, type Order } from "./load.js";

/** A refund may come before its debit was decided; it is asked for so often, a second apart. */
const REFUND_TRIES = 10;

/**
 * Some 20 s of the usual rate. Without a bound a crowd that asks again keeps a busy machine from answering anybody: 15,000 sockets were
 * seen, and no more files to open.
 */
const UNANSWERED_AT_MOST = 1_000;

const WALLETS_AT_ONCE = 8;
const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/;

/** What callers were told. */
export interface Told {
  readonly order: Order;
  readonly paymentId: string;
  /** By refunds that were answered 200, in minor units. */
  refunded: bigint;
}

/** Customers with wallets who pay at a steady rate, whatever happens to the services, and ask until they are told. */
export class Driver {
  readonly told: Told[] = [];
  /** Answers that no caller should get. */
  readonly complaints: string[] = [];
  readonly #payments: Client;
  readonly #wallets: Client;
  readonly #load: Load;
  readonly #addresses: readonly string[];
  readonly #asking = new Set<Promise<void>>();
  readonly #end = new AbortController();

  constructor(load: Load, at: { readonly payments: readonly string[]; readonly wallets: readonly string[] }) {
    this.#load = load;
    setMaxListeners(0, this.#end.signal); // one a request
    this.#addresses = at.payments;
    this.#payments = new Client(at.payments, this.#end.signal);
    this.#wallets = new Client(at.wallets, this.#end.signal);
  }

  /** Requests without an answer so far. */
  get unanswered(): number {
    return this.#asking.size;
  }

  async openWallets(): Promise<void> {
    const left = [...this.#load.customers];
    const open = async () => {
      for (let customer = left.pop(); customer !== undefined; customer = left.pop()) {
        await this.#openWallet(customer);
      }
    };
    await Promise.all(Array.from({ length: WALLETS_AT_ONCE }, open));
  }

  /**
   * Asks for `rate` payments a second until `signal` fires, and waits for none.
   *
   * @param most passes over payments while so many requests are unanswered: a machine at other work would never catch up
   */
  async pay(rate: number, signal: AbortSignal, most = UNANSWERED_AT_MOST): Promise<void> {
    const began = performance.now();
    for (let number = 0; !signal.aborted; number++) {
      const dueMs = began + (number * 1_000) / rate - performance.now();
      // Also when it is behind, or nothing else of this process would come to its turn until it has caught up.
      await sleep(Math.max(0, dueMs));
      if (this.unanswered < most) {
        this.#follow(this.#order(this.#load.order(number)));
      }
    }
  }

  /** Resolves when every request was answered; of those that are not in time there is a complaint each. */
  async settled(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (this.#asking.size > 0 && Date.now() < deadline) {
      await Promise.race([...this.#asking, sleep(1_000)]);
    }
    this.#end.abort();
    await Promise.all(this.#asking);
  }

  /** Asks once more for so many payments that bear a reference. @returns those that were answered with another payment. */
  async askAgain(most: number): Promise<string[]> {
    const client = new Client(this.#addresses, AbortSignal.timeout(60_000));
    const old = this.told.filter(({ order }) => order.reference !== undefined).slice(0, most);
    const answers = await Promise.all(
      old.map(async ({ order, paymentId }) => {
        const { status, body } = await client.post("/payments", bodyOf(order));
        return body.payment_id === paymentId
          ? []
          : [`order ${order.number}: ${status} ${JSON.stringify(body)}`];
      }),
    );
    return answers.flat();
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#asking.delete(followed));
    this.#asking.add(followed);
  }

  async #order(order: Order): Promise<void> {
    const ask = () => this.#payments.post("/payments", bodyOf(order), order.key);
    try {
      const replies = await Promise.all(order.twice ? [ask(), ask()] : [ask()]);
      const ids = new Set(replies.map(({ body }) => body.payment_id as string));
      const [paymentId] = ids;
      if (replies.some(({ status }) => status !== 201) || ids.size !== 1 || paymentId === undefined) {
        this.complaints.push(`order ${order.number} was answered ${JSON.stringify(replies)}`);
        return;
      }
      const told: Told = { order, paymentId, refunded: 0n };
      this.told.push(told);
      if (order.refund !== undefined) {
        this.#follow(this.#refund(told, order.refund));
      }
    } catch (error) {
      this.complaints.push(`order ${order.number} is unanswered: ${error}`);
    }
  }

  async #refund(told: Told, { id, part, afterMs }: NonNullable<Order["refund"]>): Promise<void> {
    const { paymentId, order } = told;
    const amount =
      part === undefined ? {} : { amount: formatAmount(part, order.customer.currency), refund_id: id };
    try {
      await sleep(afterMs);
      for (let tries = 1; ; tries++) {
        const { status, body } = await this.#wallets.post("/wallets/refund", {
          payment_id: paymentId,
          ...amount,
        });
        if (status === 200) {
          told.refunded = part ?? order.amount;
          return;
        }
        if (status === 404 && tries < REFUND_TRIES) {
          await sleep(1_000);
        } else if (status === 404 || body.code === "REFUND_REFUSED") {
          return;
        } else {
          this.complaints.push(`refund ${id} was answered ${status} ${JSON.stringify(body)}`);
          return;
        }
      }
    } catch (error) {
      this.complaints.push(`refund ${id} is unanswered: ${error}`);
    }
  }

  async #openWallet({ id, currency, funds }: Customer): Promise<void> {
    if (funds === undefined) {
      return;
    }
    const { status, body } = await this.#wallets.post("/wallets", { user_id: id, currency });
    // Opened by a request whose answer came too late, its id is told.
    const walletId = status === 201 ? body.id : UUID.exec(JSON.stringify(body))?.[0];
    if (walletId === undefined) {
      throw new Error(`wallet of ${id}: ${status} ${JSON.stringify(body)}`);
    }
    if (funds > 0n) {
      const credit = { amount: formatAmount(funds, currency), reference: "opening" };
      const answer = await this.#wallets.post(`/wallets/${walletId}/credit`, credit);
      if (answer.status !== 201) {
        throw new Error(`credit of ${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
    }
  }
}
