import { z } from "zod";
import { amount, reference, utcTime } from "../../../lib/domain/fields.js";
import { isUuid } from "../../../lib/domain/ids.js";
import { formatAmount, parseAmount } from "../../../lib/domain/money.js";
import { messageOf } from "../../../lib/errors.js";
import { campaignId, eventId, moneda, partnerSource } from "../../contracts/fields.js";

/** References of commissions begin so; a partner's own payments may not take them. */
const COMMISSION = "conversion:";
const MAX_REFERENCE = 255;

/** What payouts knows the commission of a conversion by. */
export const commissionReference = (source: string, id: string): string => `${COMMISSION}${source}:${id}`;

/** One blank where there were several, none at the ends, letters composed; a UUID in lower case. */
const sessionId = z
  .string()
  .max(1_000, "has more than 1000 characters")
  .transform((text) => {
    const plain = text.normalize("NFC").trim().replaceAll(/\s+/g, " ");
    return isUuid(plain) ? plain.toLowerCase() : plain;
  })
  .pipe(reference);

/** Amounts get the digits of their currency, all of them. */
const withAmounts =
  <Name extends string>(...names: readonly Name[]) =>
  <Data extends Record<Name, string> & { readonly moneda: string }>(
    data: Data,
    context: z.RefinementCtx,
  ): Data => {
    const amounts: Partial<Record<Name, string>> = {};
    for (const name of names) {
      try {
        amounts[name] = formatAmount(parseAmount(data[name], data.moneda), data.moneda);
      } catch (error) {
        context.addIssue({ code: "custom", message: messageOf(error), path: [name] });
      }
    }
    return { ...data, ...amounts };
  };

const envelope = {
  source: partnerSource,
  event_id: eventId,
  occurred_at: utcTime.meta({ examples: ["2026-05-01T12:00:00Z"] }),
  session_id: sessionId.optional(),
};
const seen = z.strictObject({ campaign_id: campaignId });

const conversion = z
  .strictObject({
    ...envelope,
    type: z.literal("conversion"),
    data: z
      .strictObject({
        campaign_id: campaignId,
        id_afiliado: reference,
        spend: amount,
        commission: amount,
        moneda,
      })
      .transform(withAmounts("spend", "commission")),
  })
  .refine(({ source, event_id }) => commissionReference(source, event_id).length <= MAX_REFERENCE, {
    message:
      "is too long for the reference of a commission, conversion:{source}:{event_id}, of 255 characters",
    path: ["event_id"],
  });

const payment = z.strictObject({
  ...envelope,
  type: z.literal("payment"),
  data: z
    .strictObject({
      id_afiliado: reference,
      monto: amount,
      moneda,
      referencia_pago: reference.refine((text) => !text.startsWith(COMMISSION), {
        message: `begins with ${COMMISSION}, as those of commissions do`,
      }),
    })
    .transform(withAmounts("monto")),
});

/** An event as a partner tells it; what comes out is normalised, so that two of the same content are the same. */
export const partnerEvent = z.discriminatedUnion("type", [
  z.strictObject({ ...envelope, type: z.literal("click"), data: seen }),
  z.strictObject({ ...envelope, type: z.literal("impression"), data: seen }),
  conversion,
  payment,
]);

export type PartnerEvent = z.output<typeof partnerEvent>;
export type EventType = PartnerEvent["type"];
