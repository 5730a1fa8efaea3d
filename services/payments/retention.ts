import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** A payment goes by `payments erase` alone, and then its customer's name, not its row. */
export const PAYMENTS_RETENTION: readonly Retention[] = [
  { table: "saga.payment", keep: "for ever", why: "Refunds and disputes come years later." },
  { table: "saga.step", keep: "for ever", why: "It proves how a payment came to its state." },
  {
    table: "saga.reference",
    keep: "for ever",
    why: "It keeps a payment from being made twice.",
  },
  { table: "saga.orphan", keep: "for ever", why: "Evidence, and few." },
  {
    table: "saga.webhook",
    keep: { until: "a day after it was delivered (PAYMENTS_WEBHOOK_KEEP_S), 30 days after it was given up" },
    why: "Its receiver may ask what was told.",
  },
  { table: "saga.webhook_stop", keep: { until: "somebody resumes" }, why: "The receiver wants no more." },
  { table: "saga.transition", keep: "for ever", why: "The rules, not data." },
  ...serviceRetention("saga"),
];
