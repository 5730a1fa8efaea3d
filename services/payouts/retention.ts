import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** A Pago goes by `payments erase` alone, and then its afiliado's name, not its row. */
export const PAYOUTS_RETENTION: readonly Retention[] = [
  { table: "payouts.pago", keep: "for ever", why: "Returns and questions of the gateway come months later." },
  { table: "payouts.transition", keep: "for ever", why: "The rules, not data." },
  { table: "payouts.reference", keep: "for ever", why: "It keeps a Pago from being made twice." },
  { table: "payouts.paid", keep: "for ever", why: "It keeps a Pago from being paid twice." },
  { table: "payouts.returned", keep: "for ever", why: "What came back after it was paid; few." },
  { table: "payouts.outbox_total", keep: "for ever", why: "Counters, a row an event." },
  ...serviceRetention("payouts"),
];
