import type { Route } from "../../../lib/http/route.js";
import { Waiting } from "../waiting.js";
import { type CreatePaymentOptions, createPayment } from "./create_payment.js";
import { getPayment } from "./get_payment.js";
import { getTimeline } from "./get_timeline.js";
import { listPayments } from "./list_payments.js";

export const paymentsRoutes = (resources: CreatePaymentOptions): readonly Route[] => {
  const { pool } = resources;
  return [
    createPayment(resources),
    listPayments(pool),
    getPayment(pool, new Waiting(pool)),
    getTimeline(pool),
  ];
};
