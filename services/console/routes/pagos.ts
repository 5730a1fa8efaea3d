import { z } from "zod";
import { hexOf } from "../../../lib/domain/ids.js";
import { formatAmount } from "../../../lib/domain/money.js";
import { keyset } from "../../../lib/http/page.js";
import { type Pago, pagoDetail, pagoList, pagoQuery } from "../contracts/pagos.js";
import { known } from "../errors.js";
import { bodyOfLetter, lettersOf } from "../store/letter.js";
import { findPago, findPaid, listPagos, type PagoRow, waitingFor } from "../store/pago.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const pages = keyset("console pagos", { id: z.uuid() });

export const getPagos = (resources: Resources) =>
  look(resources, {
    path: "/pagos",
    summary: "Pagos, newest first",
    request: { query: pagoQuery.extend({ cursor: pages.query.cursor }) },
    answer: pagoList,
    handle: async ({ query: { cursor, ...filter } }) => {
      const { rows, next } = await listPagos(resources.reads, { ...filter, before: cursor?.id });
      return {
        items: rows.map(bodyOf),
        next: next === undefined ? null : pages.cursorAt({ id: String(next) }),
      };
    },
  });

export const getPago = (resources: Resources) =>
  look(resources, {
    path: "/pagos/:id",
    summary: "A Pago, and all that belongs to it",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answer: pagoDetail,
    handle: async ({ params: { id } }) => {
      const { pool } = resources;
      const pago = known(await findPago(pool, id), `Pago ${id}`);
      const [paid, waiting, letters] = await Promise.all([
        findPaid(pool, id),
        waitingFor(pool, id),
        lettersOf(pool, [pago.traceUuid]),
      ]);
      return {
        pago: bodyOf(pago),
        gateway: gatewayOf(pago),
        book: {
          paid:
            paid === undefined
              ? null
              : {
                  gateway_id: paid.gatewayId,
                  monto: formatAmount(paid.monto, paid.moneda),
                  paid_at: paid.paidAt.toISOString(),
                },
          returned:
            pago.returnedAt === null
              ? null
              : { motivo: pago.returnedMotivo ?? "", returned_at: pago.returnedAt.toISOString() },
        },
        outbox: waiting.map(({ messageId, event, enteredAt }) => ({
          ...{ message_id: messageId, event },
          entered_at: enteredAt.toISOString(),
        })),
        letters: letters.map(bodyOfLetter),
        links: [...new Set(letters.map(({ queue }) => queue))].map((queue) => ({
          ...{ kind: "queue" as const, id: queue, label: queue },
        })),
      };
    },
  });

const bodyOf = (row: PagoRow): Pago => ({
  id: row.id,
  id_afiliado: row.idAfiliado,
  referencia_pago: row.referenciaPago,
  monto: formatAmount(row.monto, row.moneda),
  moneda: row.moneda,
  estado: row.estado,
  motivo: row.motivo,
  devuelto: row.returnedAt !== null,
  trace_id: hexOf(row.traceUuid),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

const gatewayOf = ({ gatewayKey, gatewayId, sentAt, ended, takes }: PagoRow) =>
  gatewayKey === null || sentAt === null
    ? null
    : { key: gatewayKey, id: gatewayId, sent_at: sentAt.toISOString(), ended, takes };
