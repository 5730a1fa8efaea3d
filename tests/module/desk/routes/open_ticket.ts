import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Publisher } from "../../../../lib/broker/publisher.js";
import { defineRoute } from "../../../../lib/http/route.js";
import { DESK_QUEUES } from "../queues.js";
import { ticket } from "../store/ticket.js";

export const openTicket = (publisher: Publisher) =>
  defineRoute({
    method: "POST",
    path: "/tickets",
    summary: "Open a ticket",
    request: { body: ticket.omit({ id: true }) },
    answers: { 202: z.object({ id: z.uuid() }) },
    handle: async ({ body }) => {
      const id = randomUUID();
      await publisher.publish(DESK_QUEUES.work, JSON.stringify({ id, ...body }));
      return { status: 202, body: { id } };
    },
  });
