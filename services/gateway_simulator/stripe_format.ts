import { createHmac } from "node:crypto";
import type { KeptAnswer, Payout } from "./book.js";

/** A payout as Stripe's API writes it. */
export const payoutObject = ({ id, amount, currency, metadata, created, status, failureCode }: Payout) => ({
  id,
  object: "payout",
  amount,
  arrival_date: created,
  automatic: false,
  balance_transaction: null,
  created,
  currency,
  description: null,
  destination: "ba_simulated",
  failure_balance_transaction: null,
  failure_code: failureCode,
  failure_message: null,
  livemode: false,
  metadata,
  method: "standard",
  original_payout: null,
  reversed_by: null,
  source_type: "bank_account",
  statement_descriptor: null,
  status,
  type: "bank_account",
});

export type StripeError = NonNullable<KeptAnswer["error"]> & { readonly param?: string };
export const errorObject = (error: StripeError) => ({ error });

/** Its id follows from what it tells: told again, it is the same event. */
export const eventId = ({ id, status }: Pick<Payout, "id" | "status">): string =>
  `evt_${id.slice("po_".length)}_${status}`;

export const eventObject = (payout: Payout) => ({
  id: eventId(payout),
  object: "event",
  api_version: null,
  created: Math.floor(payout.changedAtMs / 1_000),
  data: { object: payoutObject(payout) },
  livemode: false,
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  type: `payout.${payout.status}`,
});

/** The header Stripe-Signature of a body that is sent now. */
export function signatureOf(body: string, secret: string, nowMs = Date.now()): string {
  const t = Math.floor(nowMs / 1_000);
  return `t=${t},v1=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`;
}
