import { ACCEPTED } from "../../lib/domain/codes.js";
import { one } from "../../lib/postgres/one.js";
import type { Client } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import type { Findings } from "../ledger/chunk.js";
import { type PlannedChunk, timeOf } from "../plan.js";
import { buildTables } from "./names.js";

/** Takes a chunk's suspects out of its build, and puts those that pass into the leaf, the others into txn_reject. */
export async function judgeSuspects(
  client: Client,
  runId: string,
  chunk: PlannedChunk,
): Promise<{ accepted: number } & Findings> {
  const { chunkNo, month, firstTxnId } = chunk;
  const lines = chunk.toRow - chunk.fromRow;
  const { leaf, suspects } = buildTables(runId, month.month);
  const { opens, closes } = timeOf(month);
  const { rows } = await client.query<{ suspects: number; passed: number } & Findings>(
    loadSql("clean_chunk", { suspects, leaf }),
    [runId, chunkNo, new Date(), opens, closes, ACCEPTED, firstTxnId, lines],
  );
  const { suspects: judged, passed, ...found } = one(rows);
  return { accepted: lines - judged + passed, ...found };
}
