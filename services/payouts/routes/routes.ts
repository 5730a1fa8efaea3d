import type { Route } from "../../../lib/http/route.js";
import type { Service } from "../../../lib/runtime/service_process.js";
import { type CreatePagoOptions, createPago } from "./create_pago.js";
import { getPago } from "./get_pago.js";
import { getStatistics } from "./get_statistics.js";
import { listPagos } from "./list_pagos.js";
import { type ReceiveWebhookOptions, receiveWebhook } from "./receive_webhook.js";

export const payoutsRoutes = (
  resources: CreatePagoOptions & ReceiveWebhookOptions & Pick<Service, "reads">,
): readonly Route[] => {
  const { pool, reads } = resources;
  return [
    createPago(resources),
    listPagos(reads),
    getPago(pool),
    getStatistics(reads),
    receiveWebhook(resources),
  ];
};
