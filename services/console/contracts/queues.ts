import { z } from "zod";
import { reason } from "./actions.js";
import { asOf, count, instant, listOf, written } from "./common.js";
import { queue } from "./overview.js";

/** GET queues: as the poller saw them last. */
export const queues = z.object({
  items: z.array(queue).nullable().meta({ description: "null: the broker has told nothing yet." }),
  ...asOf,
});

export const letter = z.object({
  id: z.string().meta({ description: "The message's id." }),
  code: z.string(),
  reason: z.string(),
  attempts: count,
  event: z.string().nullable(),
  from_queue: z.string().nullable().meta({ description: "The work queue whose consumer failed." }),
  trace_id: z.string().nullable(),
  first_failed_at: instant.nullable(),
  last_failed_at: instant.nullable(),
  bytes: count,
  preview: z
    .string()
    .meta({ description: "The body's beginning on one line; whole in the letter's detail." }),
});
export type Letter = z.output<typeof letter>;

/** A dead letter as the record has it: its body is with the letter, in its queue. */
export const recordedLetter = z.object({
  queue: z.string(),
  consumer: z.string(),
  event: z.string().nullable(),
  message_id: z.string().nullable(),
  code: z.string(),
  last_code: z.string(),
  attempts: count,
  recorded_at: instant,
  done: z.enum(["replay", "purge"]).nullable().meta({ description: "What was done with it since." }),
});

/** GET queues/:name/letters?code&cursor, oldest first: at most the oldest 1,000 are looked at. */
export const letterList = listOf(letter).extend({
  total: count.meta({ description: "In the queue." }),
  codes: z.array(z.object({ code: z.string(), letters: count })).meta({ description: "Of those looked at." }),
});

/** GET queues/:name/letters/:id */
export const letterDetail = z.object({
  letter,
  encoding: z.enum(["utf8", "base64"]),
  body: z.string().meta({ description: "At most 256 KiB." }),
  cut: z.boolean(),
  properties: z.record(z.string(), z.unknown()),
  headers: z.record(z.string(), z.unknown()),
  replays: z
    .array(z.object({ by: z.string(), at: instant }))
    .nullable()
    .meta({
      description:
        "When it was sent again, the newest hundred times, newest first; null: PostgreSQL does not say.",
    }),
  ...asOf,
});

/** Which letters of a queue are meant: one, those with a code, or all that lie there when it begins. */
const selection = {
  queue: written(255).min(1),
  id: written(255).min(1).optional(),
  code: written(255).min(1).optional(),
  all: z.literal(true).optional(),
};
const one = ({ id, code, all }: { id?: unknown; code?: unknown; all?: unknown }) =>
  [id, code, all].filter((each) => each !== undefined).length === 1;
const oneOf = { message: "takes one of id, code and all" };

/** POST letters/preview: what a replay would come to; does nothing, takes no key. */
export const letterPreviewRequest = z.strictObject(selection).refine(one, oneOf);
export const letterPreview = z.object({
  total: count,
  selected: count,
  forecasts: z
    .array(
      z.object({
        id: z.string(),
        code: z.string(),
        kind: z.enum(["would apply", "already applied", "illegal", "would fail", "unreadable"]),
        why: z.string(),
      }),
    )
    .nullable()
    .meta({ description: "Of the first hundred; null: the letters' module cannot tell." }),
  ...asOf,
});

/** POST letters/replay and letters/abandon, which deletes them for good. Both answer with `actionAnswer`. */
export const letterAction = z
  .strictObject({
    ...selection,
    expected: z.int().positive().meta({
      description:
        "`selected` of the preview. No more are dealt with, oldest first: what has come since nobody has seen.",
    }),
    reason,
  })
  .refine(one, oneOf);
