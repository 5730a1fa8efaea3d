import { z } from "zod";
import { instant } from "../../../lib/http/page.js";
import { MOST_REPORTS } from "../../contracts/report.js";
import type { Holding } from "../store/holder.js";

/** More than monitor-queue may hold. */
const MOST_HELD = 10_000;

export const holderName = z
  .string()
  .regex(/^[\w.:-]{1,100}$/)
  .meta({ examples: ["example"] });

export const holdingBody = z.strictObject({
  lease_ms: z
    .int()
    .min(0)
    .max(600_000)
    .meta({ description: "0: it has ended.", examples: [0] }),
  as_of: instant.nullable().meta({
    description: "Of the latest answer before it looked at what it holds; null: there was none.",
    examples: ["2026-01-01T00:00:00.000000Z"],
  }),
  gave_back: z.boolean().meta({ examples: [false] }),
  held: z.array(z.tuple([z.uuid(), z.int().min(0).max(MOST_REPORTS)])).max(MOST_HELD),
});

/** For the next one's as_of. */
export const asOf = instant.meta({ description: "Now, by the database's clock." });

export const holdingOf = (holder: string, body: z.output<typeof holdingBody>): Holding => ({
  holder,
  leaseMs: body.lease_ms,
  asOf: body.as_of,
  gaveBack: body.gave_back,
  held: body.held.map(([windowUuid, seq]) => ({ windowUuid, seq })),
});
