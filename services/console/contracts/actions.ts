import { z } from "zod";
import { asOf, instant, listOf, written } from "./common.js";

/** What may be done from the console. */
const ACTION_KINDS = [
  "run.start",
  "run.resume",
  "run.cancel",
  "run.verify",
  "month.heal",
  "letters.replay",
  "letters.abandon",
  "reports.switch",
  "mapping.accept",
  "mapping.reject",
] as const;
export const actionKind = z.enum(ACTION_KINDS);
export type ActionKind = z.output<typeof actionKind>;

/** Why it is done, in the words of whoever does it. */
export const reason = written(200).trim().min(3);

/** What every POST that does something takes; with the header Idempotency-Key, new for each action and the same for its repetitions. */
export const actionRequest = z.strictObject({ reason });

/** What was done, by whom and why. Every POST that does something answers with it: 202 while it runs, 200 when it has ended. */
export const action = z.object({
  action_id: z.uuid(),
  kind: actionKind,
  subject: z
    .string()
    .meta({ description: "What it is done to: r1, 2025-01, wallet.dlq; of a new run `new`." }),
  asked: z.record(z.string(), z.unknown()).meta({
    description: "What was asked for besides, without the reason: which letters, a run's rows and months.",
  }),
  state: z.enum(["running", "done", "failed"]),
  result: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: "Of one that is done: what the command of the same name prints with --json." }),
  failure: z
    .object({ code: z.string(), detail: z.string(), hint: z.string().nullable() })
    .nullable()
    .meta({ description: "Of one that failed." }),
  who: z.string(),
  why: z.string(),
  at: instant,
  ended_at: instant.nullable(),
});
export type Action = z.output<typeof action>;

/** GET actions/:id, and the answer of a POST. */
export const actionAnswer = action.extend(asOf);

/** GET actions?cursor */
export const actionList = listOf(action);
