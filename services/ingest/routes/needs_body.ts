import { z } from "zod";
import type { Needs } from "../store/learning.js";

export const NEEDS_DAYS = 7;

const share = z.number().min(0).max(1);

/** How much a model is needed still, over the last seven days. */
export const needsBody = z.object({
  days: z.int(),
  events: z.int(),
  calls: z.int(),
  calls_per_1000_events: z.number().nullable(),
  share: z.object({ rule: share, learned: share, ai: share, unprocessed: share }).nullable(),
});

export function needsBodyOf({
  events,
  calls,
  rule,
  learned,
  ai,
  unprocessed,
}: Needs): z.output<typeof needsBody> {
  const shareOf = (part: number) => Math.round((part / events) * 10_000) / 10_000;
  return {
    days: NEEDS_DAYS,
    events,
    calls,
    calls_per_1000_events: events === 0 ? null : Math.round((calls / events) * 100_000) / 100,
    share:
      events === 0
        ? null
        : {
            rule: shareOf(rule),
            learned: shareOf(learned),
            ai: shareOf(ai),
            unprocessed: shareOf(unprocessed),
          },
  };
}
