import { setTimeout as sleep } from "node:timers/promises";
import { MODULES } from "../../app/modules.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { silentLogger } from "../../lib/observability/log.js";
import {
  type PagoEvent,
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
} from "../../services/contracts/payments_evt.js";
import type { Stack } from "../stack.js";

const AT_ONCE = 500;
const AFFILIATES = 1_000;
const EVENTS_A_PAYOUT = 2;

/** Tells of payouts in the place of payouts-service: each is accepted, and paid or not. */
export class Teller {
  readonly #publisher: Publisher;
  #told = 0;

  private constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  static async with<T>(stack: Stack, work: (teller: Teller) => Promise<T>): Promise<T> {
    const publisher = new Publisher({
      address: stack.settings,
      name: "payments-bench",
      logger: silentLogger,
      connectPolicy: "once",
      families: MODULES.flatMap(({ queues }) => queues),
    });
    await publisher.up();
    try {
      return await work(new Teller(publisher));
    } finally {
      await publisher.close();
    }
  }

  /** Events so far. */
  get told(): number {
    return this.#told;
  }

  async tell(payouts: number): Promise<void> {
    for (let left = payouts; left > 0; left -= AT_ONCE) {
      const messages = Array.from({ length: Math.min(left, AT_ONCE) }, () => this.#payout()).flat();
      await this.#publisher.publishAll(messages);
      this.#told += messages.length;
    }
  }

  /** At a steady rate of events a second, until `signal` fires. */
  async tellOn(eventsPerS: number, signal: AbortSignal): Promise<void> {
    const startMs = performance.now();
    for (let payouts = 0; !signal.aborted; ) {
      const due = Math.floor(((performance.now() - startMs) * eventsPerS) / 1_000 / EVENTS_A_PAYOUT);
      await this.tell(due - payouts);
      payouts = Math.max(due, payouts);
      await sleep(20);
    }
  }

  #payout() {
    const n = this.#told + Math.floor(Math.random() * 1_000_000);
    const day = String(1 + (n % 28)).padStart(2, "0");
    const pending: PagoEvent = {
      id_pago: newId(),
      id_afiliado: `affiliate-${n % AFFILIATES}`,
      monto: `${1 + (n % 400)}.25`,
      moneda: n % 5 === 0 ? "EUR" : "USD",
      referencia_pago: newId(),
      estado: "PENDIENTE",
      version: 1,
      occurred_at: `2026-0${1 + (n % 9)}-${day}T12:00:00.000Z`,
    };
    const [end, estado] =
      n % 10 === 0 ? ([paymentsEvtFailed, "FALLIDO"] as const) : ([paymentsEvtCompleted, "EXITOSO"] as const);
    return [
      eventMessage(paymentsEvtPending, pending, { messageId: newId() }),
      eventMessage(end, { ...pending, estado, version: 3 }, { messageId: newId() }),
    ];
  }
}
