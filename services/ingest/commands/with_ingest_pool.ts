import type { Pool } from "../../../lib/postgres/pool.js";
import { createServicePool } from "../../../lib/postgres/service_pool.js";
import type { Settings } from "../../../lib/settings/base.js";

/** For commands: as the service's role, with statements that may take any time. */
export async function withIngestPool<T>(
  settings: Settings,
  applicationName: string,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = createServicePool(settings, {
    role: "payments_ingest",
    schema: "ingest",
    max: 2,
    applicationName,
    bulk: true,
  });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
