import type { EtlSettings } from "../settings.js";
import { parseSpec, type Spec } from "../spec.js";

/** The spec that the STAGE_* settings describe, with what a command's flags replace. */
export function defaultSpec(settings: EtlSettings, flags: Partial<Spec> = {}): Spec {
  return parseSpec({
    rows: settings.STAGE_TARGET_TXN,
    seed: settings.STAGE_SEED,
    fromOn: settings.STAGE_FROM,
    toOn: settings.STAGE_TO,
    dirtRate: settings.STAGE_DIRT_RATE,
    fraudRate: settings.STAGE_FRAUD_RATE,
    fraudDifficulty: settings.STAGE_FRAUD_DIFFICULTY,
    chunkRows: settings.STAGE_CHUNK_SIZE,
    ...flags,
  });
}
