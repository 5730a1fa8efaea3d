import { z } from "zod";
import { JsonNumber, numberText } from "./json.js";

/**
 * Fields that requests of several services have. They tell the form; what an amount or a currency means is decided with
 * `parseAmount`, whose refusals are 422.
 */

/** A decimal number or its text; comes out as text with the digits that it had. */
export const amount = z
  .preprocess(numberText, z.string().min(1, "is empty").max(64, "has more than 64 characters"))
  .meta({
    type: ["string", "number"],
    examples: ["100.50"],
    description: "Decimal, in the currency's main unit.",
  });

/** An ISO 4217 code in upper case. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, "is not three letters in upper case")
  .meta({ examples: ["USD"] });

/** An id that we gave. */
export const id = z.uuidv7("is no UUIDv7").toLowerCase();

/**
 * A name that the caller gives: a reference, a customer. Up to 255 visible characters with single blanks between them, compared
 * as they are. They take 765 bytes at most, so that two fit into one entry of a B-tree index (2,704).
 */
export const reference = z
  .string()
  .max(255, "has more than 255 characters")
  .regex(
    /^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u,
    "is not of visible characters with single blanks between them",
  )
  .meta({ examples: ["order-1"] });

/** A whole number of a body. 5.0 is one; one that JavaScript cannot hold is none. */
export const whole = (min: number, max: number) =>
  z.preprocess(
    (value) =>
      value instanceof JsonNumber && /^-?\d{1,15}\.0+$/.test(value.text) ? Number(value.text) : value,
    z.int().min(min).max(max),
  );

/** Years that a clock may show and PostgreSQL, JavaScript and RFC 3339 write alike. */
const [EARLIEST, LATEST] = [Date.UTC(1970), Date.UTC(9999)];

/** A time with its offset, of 64 characters at most; comes out in UTC, to the millisecond. */
export const utcTime = z.iso
  .datetime({ offset: true })
  .max(64)
  .transform((text, context) => {
    const ms = Date.parse(text);
    if (!(ms >= EARLIEST && ms < LATEST)) {
      context.addIssue({ code: "custom", message: "is not of the years 1970 to 9998" });
      return z.NEVER;
    }
    return new Date(ms).toISOString();
  });
