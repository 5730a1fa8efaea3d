import type { CommandContext } from "../../../lib/cli/command.js";
import { createRegistry, register } from "../../../lib/observability/registry.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Settings } from "../../../lib/settings/base.js";
import type { Learning } from "../learning/learning.js";
import { learningOf } from "../learning/learning_of.js";
import { learningMetrics } from "../learning/metrics.js";
import type { IngestSettings } from "../settings.js";
import { withIngestPool } from "./with_ingest_pool.js";

/** For commands: rules and learned mappings as they are now. */
export const withLearning = <T>(
  { settings, logger }: CommandContext<Settings & IngestSettings>,
  name: string,
  work: (pool: Pool, learning: Learning) => Promise<T>,
): Promise<T> =>
  withIngestPool(settings, `payments rules ${name}`, async (pool) => {
    const metrics = register(createRegistry(), learningMetrics);
    const learning = learningOf(settings, { pool: () => pool, metrics, logger });
    await learning.load();
    return work(pool, learning);
  });
