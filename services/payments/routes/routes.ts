import type { Route } from "../../../lib/http/route.js";
import { Waiting } from "../waiting.js";
import { type CreatePaymentOptions, createPayment } from "./create_payment.js";
import { getPayment } from "./get_payment.js";

export const paymentsRoutes = (resources: CreatePaymentOptions): readonly Route[] => {
  const { pool } = resources;
  return [createPayment(resources), getPayment(pool, new Waiting(pool))];
};
