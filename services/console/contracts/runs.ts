import { z } from "zod";
import { reason } from "./actions.js";
import { asOf, count, instant, listOf, month } from "./common.js";

const step = z.enum(["plan", "stage", "clean", "agg"]);

export const run = z.object({
  run: z.string(),
  state: z.enum(["planned", "running", "done", "cancelled"]),
  rows: count,
  seed: count,
  from: z.iso.date(),
  to: z.iso.date().meta({ description: "The first day after." }),
  dirt_rate: z.number(),
  fraud_rate: z.number(),
  fraud_difficulty: z.string(),
  chunk_rows: count,
  chunks: z.object({ total: count, staged: count, cleaned: count }),
  months_done: count,
  months_total: count,
  accepted: count,
  repaired: count,
  rejected: count,
  share: z.number().min(0).max(1).meta({ description: "How much of it is done." }),
  elapsed_s: z.number(),
  rows_per_s: z.number(),
  eta_s: z.number().nullable().meta({ description: "null: nothing is done yet, so nobody knows." }),
  idle_s: z.number().meta({ description: "Since a chunk or a month was done." }),
  created_at: instant,
  finished_at: instant.nullable(),
});
export type Run = z.output<typeof run>;

/** GET runs?cursor */
export const runList = listOf(run);

/** GET runs/:id */
export const runDetail = run.extend({
  months: z.array(
    z.object({
      month,
      rows: count,
      chunks_total: count,
      chunks_done: count,
      state: z.enum(["open", "done"]),
      finished_at: instant.nullable(),
    }),
  ),
  steps: z.array(
    z.object({
      step,
      rows_done: count,
      busy_s: z.number().meta({ description: "Summed over workers." }),
      rows_per_s: z.number().nullable().meta({ description: "By the busy time of one worker." }),
    }),
  ),
  failures: z.array(
    z.object({
      step,
      chunk: count.nullable(),
      month: z.string().nullable(),
      code: z.string(),
      reason: z.string(),
      attempts: count,
      message_id: z.string().nullable(),
      failed_at: instant,
    }),
  ),
  ...asOf,
});

const rate = z.number().min(0).max(1);

/** How fraud hides; docs/data.md. */
const difficulty = z.enum(["easy", "medium", "hard"]);
export type FraudDifficulty = z.output<typeof difficulty>;

/** What a run is asked to be; what is left out is as STAGE_* says. */
const spec = {
  rows: z.int().min(0).max(1e11).optional(),
  seed: z.int().min(0).max(4_294_967_295).optional(),
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  dirt_rate: rate.optional(),
  fraud_rate: rate.optional(),
  fraud_difficulty: difficulty.optional(),
  chunk_rows: z.int().min(1).max(1_000_000).optional(),
};

/** POST runs/preview: does nothing, takes no key. */
export const runPreviewRequest = z.strictObject(spec);
export const runPreview = z.object({
  rows: count,
  seed: count,
  from: z.iso.date(),
  to: z.iso.date(),
  dirt_rate: rate,
  fraud_rate: rate,
  fraud_difficulty: z.string(),
  chunk_rows: count,
  chunks: count,
  months: z.array(z.object({ month: z.string(), rows: count, chunks: count })),
  bytes: count.meta({ description: "About so many on disk, with indexes." }),
  seeded: z.boolean().meta({ description: "Whether accounts and merchants are there; else: payments seed." }),
  ...asOf,
});
export type RunPreview = z.output<typeof runPreview>;

/** POST runs; runs/:id/resume, cancel, verify and months/:month/heal take `actionRequest`. All answer with `actionAnswer`. */
export const runStart = z.strictObject({ ...spec, reason });
