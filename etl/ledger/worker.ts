import { loadSql } from "../../lib/postgres/sql.js";
import type { LeaseStatements } from "../../lib/runtime/lease.js";

/** The workers of the pipeline and their heartbeats: etl.worker. */
export const workerLease: LeaseStatements = {
  beat: (workerId) => ({
    text: `INSERT INTO etl.worker (worker_id) VALUES ($1)
           ON CONFLICT (worker_id) DO UPDATE SET heartbeat_at = clock_timestamp(), reaped_at = NULL`,
    values: [workerId],
  }),
  reap: (leaseMs) => ({ text: loadSql("reap_workers"), values: [leaseMs] }),
  signOff: (workerId) => ({ text: "DELETE FROM etl.worker WHERE worker_id = $1", values: [workerId] }),
};
