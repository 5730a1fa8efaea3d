import { z } from "zod";
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
  gave_back: z.boolean().meta({ examples: [false] }),
  held: z.array(z.tuple([z.uuid(), z.int().min(0)])).max(MOST_HELD),
});

export const holdingOf = (holder: string, body: z.output<typeof holdingBody>): Holding => ({
  holder,
  leaseMs: body.lease_ms,
  gaveBack: body.gave_back,
  held: body.held.map(([windowUuid, seq]) => ({ windowUuid, seq })),
});
