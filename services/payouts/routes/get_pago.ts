import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { PayoutsError } from "../errors.js";
import { findPago } from "../store/pago.js";
import { bodyOf, pagoBody } from "./pago_body.js";

export const getPago = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/pagos/:id_pago",
    summary: "A Pago",
    request: { params: z.object({ id_pago: z.uuid().toLowerCase() }) },
    answers: { 200: pagoBody },
    handle: async ({ params: { id_pago } }) => {
      const pago = await findPago(pool, id_pago);
      if (pago === undefined) {
        throw new PayoutsError("PAGO_NOT_FOUND", `there is no Pago ${id_pago}.`);
      }
      return { status: 200, body: bodyOf(pago) };
    },
  });
