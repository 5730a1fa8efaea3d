import { z } from "zod";

/** What events share. Amounts are decimal text with the currency's own digits; a JSON number is taken too. */
export const paymentId = z.uuid();
export const userId = z.string().min(1).max(128);
export const traceId = z.string().regex(/^[0-9a-f]{32}$/);
/** A number's text is what was sent as long as it has at most 15 digits, which a double keeps. */
export const amount = z.union([
  z.string().max(40),
  z
    .number()
    .refine((value) => Number.isFinite(value) && String(value).replace(/\D/g, "").length <= 15)
    .transform(String),
]);
export const currency = z.string().regex(/^[A-Z]{3}$/);
