import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Reports } from "../contracts/reports.js";

export interface ServedRow {
  readonly epoch: number;
  readonly version: Reports["active"];
  readonly generation: number;
  readonly position: bigint;
  readonly appliedAt: Date;
  readonly parked: bigint;
}

export async function readServed(db: Queryable): Promise<ServedRow> {
  const { rows } = await db.query<ServedRow>({
    name: "console_served",
    text: `SELECT s.epoch, s.version, s.generation, s.position, s.applied_at AS "appliedAt", t.parked_payouts AS parked
           FROM reports.served s CROSS JOIN reports.state t`,
  });
  return one(rows);
}

export interface GenerationRow {
  readonly generation: number;
  readonly state: Reports["generations"][number]["state"];
  readonly position: bigint;
  readonly changedAt: Date;
}

/** The newest twenty, newest first. */
export async function listGenerations(db: Queryable): Promise<readonly GenerationRow[]> {
  const { rows } = await db.query<GenerationRow>({
    name: "console_generations",
    text: `SELECT generation, state, position, changed_at AS "changedAt"
           FROM reports.console_generation ORDER BY generation DESC LIMIT 20`,
  });
  return rows;
}

export interface SwitchRow {
  readonly epoch: number;
  readonly version: Reports["active"];
  readonly generation: number;
  readonly by: string;
  readonly at: Date;
}

/** The newest fifty, newest first. */
export async function listSwitches(db: Queryable): Promise<readonly SwitchRow[]> {
  const { rows } = await db.query<SwitchRow>({
    name: "console_switches",
    text: `SELECT epoch, version, generation, switched_by AS by, switched_at AS at
           FROM reports.console_switch ORDER BY epoch DESC LIMIT 50`,
  });
  return rows;
}
