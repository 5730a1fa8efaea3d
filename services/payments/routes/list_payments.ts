import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { userId } from "../../contracts/fields.js";
import { paymentsOf } from "../store/payment.js";
import { bodyOf, paymentBody, status } from "./payment_body.js";

/** Ids are in the order of their time. */
const pages = keyset("payments", { id: z.uuid() });

export const listPayments = (reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/payments",
    summary: "A customer's payments, newest first, by pages",
    request: { query: z.strictObject({ ...pages.query, customer_id: userId, status: status.optional() }) },
    answers: { 200: pages.answer(paymentBody) },
    handle: async ({ query }) => {
      const { customer_id, status: state, cursor } = query;
      const rows = await paymentsOf(reads, customer_id, {
        limit: pages.rowsOf(query),
        before: cursor?.id,
        state,
      });
      const page = pages.page(rows, query, ({ paymentId }) => ({ id: paymentId }));
      return { status: 200, body: { ...page, items: page.items.map(bodyOf) } };
    },
  });
