import type { Known } from "../../services/ingest/learning/known.js";

/** Of a provider whose events are flat: an order, a status, a currency and an amount. */
export const LEARNED_RULE: Known = {
  id: "1",
  family: "acme api json",
  shape: "1",
  mapping: {
    kinds: { paths: [], values: { "": true } },
    status: { paths: ["/status"], values: { declined: "DECLINED" } },
    amount: { path: "/amount", unit: "major" },
    currency: "/currency",
    id: "/order",
    paymentRef: null,
    occurredAt: null,
    merchant: null,
    country: null,
    reason: null,
  },
  paths: [],
  state: "promoted",
  votes: 3,
  confirmations: 2,
  waitsFor: null,
};
