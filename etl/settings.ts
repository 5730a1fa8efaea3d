import { z } from "zod";
import type { Settings } from "../lib/settings/base.js";
import { day, rate, type SettingsDeclaration, text, whole } from "../lib/settings/define.js";
import { FRAUD_DIFFICULTIES } from "./spec.js";

const schema = z
  .object({
    STAGE_TARGET_TXN: whole(0, 1e11)
      .default(1_000_000)
      .describe("Rows of a default run; for bootstrap.sh the target it tops up to"),
    STAGE_CHUNK_SIZE: whole(1, 1_000_000)
      .default(250_000)
      .describe("Most rows in a chunk: one message, one COPY, one transaction"),
    STAGE_WINDOW: whole(1, 1_000)
      .default(8)
      .describe("Chunks of one run in flight: bounds the depth of the queue at any size"),
    STAGE_SEED: whole(0, 4_294_967_295)
      .default(1)
      .describe("Seed of a default run: same seed on an empty database, same data"),
    STAGE_FROM: day.default("2025-01-01").describe("First day of a default run (UTC)"),
    STAGE_TO: day.default("2026-01-01").describe("Day after its last day (UTC)"),
    STAGE_DIRT_RATE: rate.default(0.01).describe("Share of rows with an injected defect"),
    STAGE_FRAUD_RATE: rate.default(0.002).describe("Share of rows that belong to a fraud pattern"),
    STAGE_FRAUD_DIFFICULTY: z
      .enum(FRAUD_DIFFICULTIES)
      .default("medium")
      .describe(
        "How fraud hides: easy shows in one column, medium and hard in how payments follow one another",
      ),
    WORKER_CONCURRENCY: whole(1, 64)
      .default(2)
      .describe("Steps one worker runs at a time; each uses a database connection and a generator thread"),
    WORKER_METRICS_HOST: text
      .default("127.0.0.1")
      .describe("Where a worker serves /metrics, /healthz and /readyz"),
    WORKER_METRICS_PORT: whole(0, 65_535).default(9_464).describe("Its port; 0 serves nothing"),
  })
  .refine(({ STAGE_FROM, STAGE_TO }) => STAGE_FROM < STAGE_TO, {
    path: ["STAGE_FROM"],
    error: ({ input }) => {
      const { STAGE_FROM, STAGE_TO } = input as { STAGE_FROM: string; STAGE_TO: string };
      return `${STAGE_FROM} is not before STAGE_TO ${STAGE_TO}`;
    },
  });

type OwnSettings = z.infer<typeof schema>;
export interface EtlSettings extends Settings, OwnSettings {}

export const etlSettings: SettingsDeclaration<OwnSettings> = { schema, prefixes: ["STAGE_", "WORKER_"] };
