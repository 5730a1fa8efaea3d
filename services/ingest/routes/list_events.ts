import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { STATUS_CATEGORIES } from "../domain/normalised.js";
import { listEvents } from "../store/event.js";
import { bodyOf, eventBody } from "./event_body.js";

/** Ids are in the order of their time. */
const pages = keyset("events", { id: z.uuid() });
const instant = z.coerce.date().optional();

export const getEvents = (reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/events",
    summary: "Events, the latest received first, by pages",
    request: {
      query: z.strictObject({
        ...pages.query,
        provider: z.string().max(50).toLowerCase().optional(),
        status_category: z.enum(STATUS_CATEGORIES).optional(),
        payment_ref: z.string().max(255).optional(),
        received_from: instant,
        received_to: instant,
      }),
    },
    answers: { 200: pages.answer(eventBody) },
    handle: async ({ query }) => {
      const { provider, status_category, payment_ref, received_from, received_to, cursor } = query;
      const rows = await listEvents(reads, {
        provider,
        status: status_category,
        paymentRef: payment_ref,
        from: received_from,
        to: received_to,
        before: cursor?.id,
        limit: pages.rowsOf(query),
      });
      const page = pages.page(rows, query, (event) => ({ id: event.id }));
      return { status: 200, body: { ...page, items: page.items.map(bodyOf) } };
    },
  });
