import { z } from "zod";
import { EtlError } from "./errors.js";

/** Raise it whenever the same spec would give other bytes: verify must not compare runs of two generators. */
export const GENERATOR_VERSION = 3;
/** Version 2 knew no difficulty; what it made is what this one makes at `easy`, to the byte. */
export const KNOWN_VERSIONS: readonly number[] = [2, GENERATOR_VERSION];

/** How well fraud hides, see docs/data.md. */
export const FRAUD_DIFFICULTIES = ["easy", "medium", "hard"] as const;
export type FraudDifficulty = (typeof FRAUD_DIFFICULTIES)[number];

const day = z.iso.date();

/**
 * What a run is asked to be. With `GENERATOR_VERSION` it decides every byte of the run, whichever worker makes it.
 * Rows are generated rows, clean or not; days are UTC, `toOn` is the first day after.
 */
export const specSchema = z
  .strictObject({
    rows: z.int().min(0, "rows must not be negative").max(1e11, "rows must not exceed 10^11"),
    seed: z.int().min(0).max(4_294_967_295),
    fromOn: day,
    toOn: day,
    dirtRate: z.number().min(0, "dirt rate must lie in 0..1").max(1, "dirt rate must lie in 0..1"),
    fraudRate: z.number().min(0, "fraud rate must lie in 0..1").max(1, "fraud rate must lie in 0..1"),
    fraudDifficulty: z.enum(
      FRAUD_DIFFICULTIES,
      `fraud difficulty must be one of ${FRAUD_DIFFICULTIES.join(", ")}`,
    ),
    chunkRows: z.int().min(1).max(1_000_000),
  })
  .refine((spec) => spec.fromOn < spec.toOn, "from must be before to")
  .refine(
    (spec) => spec.rows / spec.chunkRows <= 1e8,
    "that makes more than 10^8 chunks: raise the chunk size",
  )
  // Impossible times are injected far outside; inside these bounds none of them can fall into a run's months.
  .refine(
    (spec) => spec.fromOn >= "1975-01-01" && spec.toOn <= "2095-01-01",
    "the window must lie in 1975..2094",
  );

/** A spec as asked for. */
export type Spec = z.infer<typeof specSchema>;

/** A spec as entered in the ledger: with the block of transaction ids that is its own. */
export interface PlannedSpec extends Spec {
  /** Row i of the run has txn_id firstTxnId + i. */
  readonly firstTxnId: number;
}

/** @throws PlatformError SPEC_INVALID naming everything that is wrong. */
export function parseSpec(input: unknown): Spec {
  const parsed = specSchema.safeParse(input);
  if (parsed.success) {
    return parsed.data;
  }
  const problems = parsed.error.issues.map((issue) => [...issue.path, issue.message].join(": "));
  throw new EtlError("SPEC_INVALID", problems.join("; "));
}
