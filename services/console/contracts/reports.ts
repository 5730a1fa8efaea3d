import { z } from "zod";
import { reason } from "./actions.js";
import { asOf, count, instant } from "./common.js";

const reportVersion = z.enum(["v1", "v2"]);

/** GET reports */
export const reports = z.object({
  versions: z.array(z.object({ version: reportVersion, active: z.boolean() })),
  active: reportVersion,
  epoch: count.meta({ description: "One more with each switch; POST reports/switch takes it." }),
  generation: count,
  position: z.string().meta({ description: "Of the newest event that is in it." }),
  applied_at: instant,
  parked: count.meta({ description: "Payouts that are in no sum, since their first event has not come." }),
  generations: z.array(
    z.object({
      generation: count,
      state: z.enum(["building", "live", "retired", "dropped"]),
      position: z.string(),
      changed_at: instant,
    }),
  ),
  history: z
    .array(
      z.object({
        epoch: count,
        version: reportVersion,
        generation: count,
        by: z.string(),
        at: instant,
      }),
    )
    .meta({ description: "The newest fifty, newest first." }),
  ...asOf,
});
export type Reports = z.output<typeof reports>;

/** POST reports/switch: to another version of what is served. */
export const reportSwitch = z.strictObject({
  version: reportVersion,
  epoch: z
    .int()
    .positive()
    .meta({ description: "As GET reports showed it: who was shown something older is refused." }),
  reason,
});
