import { z } from "zod";
import { reference } from "../../lib/domain/fields.js";

/** What events share beside lib/domain/fields.ts. Payments of other systems may have UUIDs of other versions. */
export const paymentId = z.uuid().toLowerCase();
export const userId = reference.meta({ examples: ["customer-123"] });
export const traceId = z.string().regex(/^[0-9a-f]{32}$/);
/** How somebody pays, e.g. `credit_card`. */
export const paymentMethod = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,49}$/, "is not of lower-case letters, digits and _")
  .meta({ examples: ["credit_card"] });

/** Currencies that a Pago may have: the contract's Moneda. */
export const moneda = z.enum(["USD", "EUR", "COP"]);
/** From 1, one more with each change of the aggregate: who keeps the greatest needs no order of arrival. */
export const aggregateVersion = z.int().positive();
export const campaignId = z.uuid().toLowerCase();
/** A partner's name, and the id that it gave its event. */
export const partnerSource = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,49}$/)
  .meta({ examples: ["shop"] });
export const eventId = reference.meta({ examples: ["click-1"] });
