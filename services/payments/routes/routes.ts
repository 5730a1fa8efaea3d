import type { Route } from "../../../lib/http/route.js";
import type { Service } from "../../../lib/runtime/service_process.js";
import { Waiting } from "../waiting.js";
import { type CreatePaymentOptions, createPayment } from "./create_payment.js";
import { getPayment } from "./get_payment.js";
import { getTimeline } from "./get_timeline.js";
import { listPayments } from "./list_payments.js";

export const paymentsRoutes = (
  resources: CreatePaymentOptions & Pick<Service, "reads">,
): readonly Route[] => {
  const { pool, reads } = resources;
  return [
    createPayment(resources),
    listPayments(reads),
    getPayment(pool, new Waiting(pool)),
    getTimeline(pool),
  ];
};
