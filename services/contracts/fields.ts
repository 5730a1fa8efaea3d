import { z } from "zod";
import { reference } from "../../lib/domain/fields.js";

/** What events share beside lib/domain/fields.ts. Payments of other systems may have UUIDs of other versions. */
export const paymentId = z.uuid().toLowerCase();
export const userId = reference;
export const traceId = z.string().regex(/^[0-9a-f]{32}$/);
/** How somebody pays, e.g. `credit_card`. */
export const paymentMethod = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,49}$/, "is not of lower-case letters, digits and _");
