import { z } from "zod";
import { amount, asOf, count, instant, month } from "./common.js";

/** GET data/months, oldest first: as many as are published. */
export const months = z.object({
  items: z.array(
    z.object({
      month,
      rows: count,
      bytes: z.string().meta({ description: "On disk, with indexes." }),
      runs: z.array(z.string()),
      published_at: instant,
    }),
  ),
  rows: count,
  bytes: z.string(),
  ...asOf,
});

/** What roll-ups may be grouped by. */
const ROLLUP_BY = ["day", "network", "channel", "currency", "country", "category", "decline_reason"] as const;
export const rollupQuery = z.strictObject({ month, by: z.enum(ROLLUP_BY) });

/** GET data/rollups?month&by: at most 100 groups, the largest first, days in their order. */
export const rollups = z.object({
  month,
  by: z.enum(ROLLUP_BY),
  groups: z.array(
    z.object({
      group: z.string(),
      transactions: count,
      approved: count.nullable().meta({ description: "null: of decline reasons, which have none." }),
      fraud: count.nullable(),
      volume: z
        .array(z.object({ currency: z.string(), amount }))
        .meta({ description: "By currency, the most transactions first; of decline reasons none." }),
    }),
  ),
  more: count.meta({ description: "Groups that were left out." }),
  sampled: z.number().min(0).max(1).nullable().meta({
    description: "Of decline reasons: the share of the month that was looked at; counts are of that.",
  }),
  ...asOf,
});
export type Rollups = z.output<typeof rollups>;

export const profileQuery = z.strictObject({ month });

/** What a figure is made of, each a share. */
const parts = z.array(z.number()).readonly().optional();

/** GET data/profile?month: shapes of what is published of a month, beside figures that others published. */
export const profile = z.object({
  month,
  rows: count,
  shapes: z
    .array(
      z.object({
        shape: z.string(),
        unit: z.enum(["share", "EUR", "USD", "hours", "exponent", "total variation"]),
        found: z.number().nullable().meta({ description: "null: no row has it." }),
        published: z
          .object({ least: z.number(), most: z.number(), source: z.string(), parts })
          .nullable()
          .meta({ description: "null: nobody has published it, as far as is known." }),
        distance: z.number().nullable().meta({
          description: "null: nothing to compare, or nothing was found, which is beyond all bounds.",
        }),
        verdict: z.enum(["near", "far", "none published"]),
        parts: parts.meta({ description: "First digits from 1, days from Monday, hours from 0." }),
      }),
    )
    .readonly(),
  ...asOf,
});
export type Profile = z.output<typeof profile>;
