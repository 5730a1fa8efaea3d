import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Mapping } from "../contracts/events.js";

export interface MappingRow {
  readonly id: string;
  readonly family: string;
  readonly layout: string;
  readonly state: Mapping["state"];
  readonly votes: number;
  readonly confirmations: number;
  readonly waitsFor: string | null;
  readonly decidedBy: string | null;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly mapping: Readonly<Record<string, unknown>>;
}

export interface MappingFilter {
  readonly state: Mapping["state"];
  /** The id where the page before ended. */
  readonly before: string;
  readonly limit: number;
}

/** Newest first. There are as many as there are shapes of events that no rule knows: few. */
export async function listMappings(
  db: Queryable,
  { state, before, limit }: MappingFilter,
): Promise<readonly MappingRow[]> {
  const { rows } = await db.query<MappingRow>({
    name: "console_mappings",
    text: `SELECT id, family, layout, state, votes, confirmations, waits_for AS "waitsFor", decided_by AS "decidedBy",
                  created_at AS "createdAt", changed_at AS "changedAt", mapping
           FROM ingest.console_mapping WHERE state = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
    values: [state, before, limit],
  });
  return rows;
}
