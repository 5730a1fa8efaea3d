import { z } from "zod";
import { defineRoute } from "../../../../lib/http/route.js";
import type { Pool } from "../../../../lib/postgres/pool.js";
import { DeskError } from "../errors.js";
import { findTicket, ticket } from "../store/ticket.js";

export const getTicket = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/tickets/:id",
    summary: "A ticket",
    request: { params: z.object({ id: z.uuid() }) },
    answers: { 200: ticket },
    handle: async ({ params }) => {
      const found = await findTicket(pool, params.id);
      if (found === undefined) {
        throw new DeskError("TICKET_UNKNOWN", `there is no ticket ${params.id}.`);
      }
      return { status: 200, body: found };
    },
  });
