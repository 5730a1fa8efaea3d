import { z } from "zod";

const count = z.int().nonnegative();
const amount = z.string();
const currency = z.string();
const sum = { currency, count, amount, completed: count, failed: count };

const v1 = z.object({
  version: z.literal("v1"),
  as_of: z.iso.datetime(),
  totals: z.array(z.object(sum)),
});

const v2 = v1.extend({
  version: z.literal("v2"),
  by_status: z.array(
    z.object({
      status: z.enum(["PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"]),
      ...{ currency, count, amount },
      returned: count.meta({ description: "Of these, paid and sent back by the bank later." }),
    }),
  ),
  by_day: z.array(
    z.object({
      day: z.iso.date().nullable().meta({ description: "UTC, of the first event; null: all days before." }),
      ...sum,
    }),
  ),
  by_affiliate: z.array(
    z.object({ id_afiliado: z.string().nullable().meta({ description: "null: all others." }), ...sum }),
  ),
  success_rate: z.number().min(0).max(1).nullable(),
  mean_amount: z.array(z.object({ currency, amount })),
  campaigns: z.array(
    z.object({
      campaign_id: z.uuid(),
      name: z.string(),
      state: z.enum(["CREATED", "ACTIVE", "PAUSED", "COMPLETED"]),
      currency,
      budget: amount,
      spend: amount,
      ...{ impressions: count, clicks: count, conversions: count },
    }),
  ),
});

/** A report as it is answered; its shape goes by its version. */
export const reportBody = z.discriminatedUnion("version", [v1, v2]);
