import { expect, it } from "vitest";
import { statusesBy } from "./status_words.js";

it.each([
  ["APPROVED", ["APPROVED"]],
  ["payment.captured", ["APPROVED"]],
  ["RECHAZADA", ["DECLINED", "FAILED"]],
  ["em_análise | aguardando", ["PENDING"]],
  ["refund | COMPLETED", ["REFUNDED"]],
  ["reembolso.creado", ["REFUNDED"]],
  ["refund | PENDING", ["PENDING"]],
  ["refund_failed", ["DECLINED", "FAILED"]],
  ["Abgelehnt", ["DECLINED", "FAILED"]],
  ["dispute.opened", ["CHARGEBACK", "PENDING"]],
  ["chargeback_reversed", ["CHARGEBACK", "PENDING"]],
  ["PaymentCompleted", ["APPROVED"]],
  ["00", undefined],
  ["X7", undefined],
  ["unpaid", undefined],
  ["not approved", undefined],
  ["DISPUTE", ["CHARGEBACK", "PENDING"]],
])("%s allows %o", (text, expected) => {
  expect(statusesBy(text)).toEqual(expected);
});
