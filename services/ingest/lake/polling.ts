import type { Instruments } from "../../../lib/observability/registry.js";
import type { Chore } from "../../../lib/runtime/housekeeping.js";
import type { Part } from "../../../lib/runtime/lifecycle.js";
import type { Runtime } from "../../../lib/runtime/module.js";
import type { Intake } from "../intake.js";
import type { ingestMetrics } from "../metrics.js";
import type { IngestSettings } from "../settings.js";
import { createLakePool, Poller } from "./poller.js";

export interface PollingOptions {
  readonly intake: () => Intake;
  readonly metrics: Pick<Instruments<typeof ingestMetrics>, "lakeRows">;
}

/**
 * Looks at the data lake at the start and every POLL_INTERVAL_SECONDS; where there is none does nothing.
 *
 * @returns what the service's housekeeping does, and a part that is to end after it
 */
export function lakePolling(
  { settings, logger, workerId, stopping }: Runtime<Runtime["settings"] & IngestSettings>,
  { intake, metrics }: PollingOptions,
): { readonly chores: readonly Chore[]; readonly parts: readonly Part[] } {
  const { DATALAKE_DATABASE_URL: url, POLL_INTERVAL_SECONDS: everyS } = settings;
  if (url === "") {
    return { chores: [], parts: [] };
  }
  const pool = createLakePool(url, `ingest-service lake ${workerId}`.slice(0, 63));
  const run = async () => {
    const count = (outcome: string, rows: number) => metrics.lakeRows.inc({ outcome }, rows);
    const { taken, refused } = await new Poller({ pool, intake: intake(), logger, count }).drain(stopping);
    if (taken + refused > 0) {
      logger.info({ taken, refused }, "the data lake was polled");
    }
  };
  return {
    chores: [{ name: "rows of the data lake", everyMs: everyS * 1_000, run }],
    parts: [{ name: "data lake", stop: () => pool.end() }],
  };
}
