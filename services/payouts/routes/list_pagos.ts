import { z } from "zod";
import { reference } from "../../../lib/domain/fields.js";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { pagosOf } from "../store/pago.js";
import { bodyOf, estado, pagoBody } from "./pago_body.js";

/** Ids are in the order of their time. */
const pages = keyset("pagos", { id: z.uuid() });

export const listPagos = (reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/pagos",
    summary: "An afiliado's Pagos, newest first, by pages",
    request: {
      query: z.strictObject({
        ...pages.query,
        id_afiliado: reference.meta({ examples: ["afiliado-1"] }),
        estado: estado.optional(),
      }),
    },
    answers: { 200: pages.answer(pagoBody) },
    handle: async ({ query }) => {
      const rows = await pagosOf(reads, query.id_afiliado, {
        limit: pages.rowsOf(query),
        before: query.cursor?.id,
        estado: query.estado,
      });
      const page = pages.page(rows, query, ({ idPago }) => ({ id: idPago }));
      return { status: 200, body: { ...page, items: page.items.map(bodyOf) } };
    },
  });
