import { z } from "zod";
import { asOf, count, instant, listOf, pageQuery, written } from "./common.js";
import { recordedLetter } from "./queues.js";

const windowState = z.enum(["OPEN", "UNKNOWN", "CLOSED", "ALERT", "RESOLVED_LATE"]);

export const reportWindow = z.object({
  id: z.uuid(),
  service: z.string(),
  state: windowState,
  from: instant,
  to: instant,
  deadline: instant,
  interval_ms: count,
  expected: count,
  received: count.meta({ description: "In time, those that tell of an error among them." }),
  late: count.nullable().meta({ description: "null: its reports are not kept any more." }),
  errors: count,
  missing: count,
  conflicts: count,
  decided_at: instant.nullable(),
});
export type ReportWindow = z.output<typeof reportWindow>;

/** GET windows?service&state&cursor */
export const windowQuery = z.strictObject({
  ...pageQuery,
  service: written(63).min(1).optional(),
  state: windowState.optional(),
});
export const windowList = listOf(reportWindow);

const outcome = z.enum(["sending", "sent", "omitted", "stalled", "unknown"]);

/** GET windows/:id */
export const windowDetail = z.object({
  window: reportWindow,
  slots: z
    .array(
      z.object({
        first: count.meta({ description: "Slot number, from 1." }),
        last: count.meta({ description: "The same where the stretch is one slot." }),
        came: z.enum(["ok", "error", "late", "missing", "waiting"]),
        told: outcome.nullable().meta({ description: "By the reporter's own book; null: it has none here." }),
      }),
    )
    .nullable()
    .meta({
      description:
        "Stretches of slots alike, in their order, at most 2,000 of them; null: reports are kept for 28 days.",
    }),
  compare: z
    .object({
      expected: count,
      sent: count,
      omitted: count,
      stalled: count,
      unknown: count,
      came: count,
      came_without_being_sent: count,
      sent_without_coming: count,
    })
    .nullable()
    .meta({
      description: "The reporter's book beside the monitor's; null: the window has no reporter here.",
    }),
  letters: z.array(recordedLetter).meta({ description: "Its reports that became dead letters." }),
  ...asOf,
});
