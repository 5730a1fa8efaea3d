import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { findPayment } from "../store/payment.js";
import { stepsOf } from "../store/step.js";
import { known } from "./get_payment.js";
import { status } from "./payment_body.js";

const step = z.object({
  at: z.iso.datetime(),
  status,
  awaiting: z.enum(["check", "debit"]).nullable(),
  event: z.string(),
  message_id: z.string(),
  trace_id: z.string(),
});

export const getTimeline = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/payments/:id/timeline",
    summary: "What happened to a payment, step by step",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answers: { 200: z.object({ payment_id: z.uuid(), steps: z.array(step) }) },
    handle: async ({ params: { id } }) => {
      known(id, await findPayment(pool, id));
      const steps = (await stepsOf(pool, id)).map(
        ({ takenAt, state, awaiting, event, messageId, traceId }) => ({
          at: takenAt,
          status: state,
          awaiting,
          event,
          message_id: messageId,
          trace_id: traceId,
        }),
      );
      return { status: 200, body: { payment_id: id, steps } };
    },
  });
