import { z } from "zod";

/** UTC, ISO 8601. */
export const instant = z.iso.datetime();

/** Decimal text with all digits of its currency: `100.50`. Never a number, which would round. */
export const amount = z.string();

/** What somebody wrote, or looks for. PostgreSQL has no text with U+0000. */
export const written = (maxChars: number) =>
  z
    .string()
    .max(maxChars)
    .refine((text) => !text.includes("\0"), "has a character U+0000");

/** A UTC month. */
export const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, "is no month (YYYY-MM)");

export const count = z.int().nonnegative();

/** What every answer tells: when the server read what it says. */
export const asOf = { as_of: instant };

/** One page of a list, newest first unless it says otherwise; `next` is the cursor of the page after it, null on the last one. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().meta({
      description: "A page may have fewer items than asked for, even none, and still have a next one.",
    }),
    ...asOf,
  });

/** What a list's query takes besides its filters. */
export const pageQuery = {
  cursor: z.string().max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
};

/** Another thing of the console that something belongs to. */
export const link = z.object({
  kind: z.enum(["payment", "wallet", "pago", "campaign", "event", "window", "queue", "run", "reports"]),
  id: z.string().meta({ description: "As the detail's path has it; of a queue its name." }),
  label: z.string(),
});

export type Link = z.output<typeof link>;
