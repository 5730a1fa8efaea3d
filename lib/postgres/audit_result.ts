import type { Queryable } from "./pool.js";

export interface AuditResult {
  readonly differences: number;
  /** Nothing was in flight. */
  readonly quiesced: boolean;
}

/** Keeps what an audit found, in place of what the one before did: alerts read it. */
export async function keepResult(db: Queryable, { differences, quiesced }: AuditResult): Promise<void> {
  await db.query(
    `INSERT INTO ops.audit_result (finished_at, differences, quiesced) VALUES (clock_timestamp(), $1, $2)
     ON CONFLICT (latest) DO UPDATE
     SET (finished_at, differences, quiesced) = (excluded.finished_at, excluded.differences, excluded.quiesced)`,
    [differences, quiesced],
  );
}
