import { z } from "zod";
import { amount, reference } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { moneda, traceId } from "./fields.js";

const schema = z.object({
  id_afiliado: reference,
  monto: amount,
  moneda,
  /** Unique for an afiliado: a repetition is the same Pago. A commission's is `conversion:{source}:{event_id}`. */
  referencia_pago: reference,
  trace_id: traceId.optional(),
});

/** collector → payouts: pay this, once. */
export const payoutsPayoutRequested: EventContract<z.output<typeof schema>> = {
  name: "payouts.payout.requested",
  version: 1,
  schema,
  key: ({ id_afiliado }) => id_afiliado,
};
