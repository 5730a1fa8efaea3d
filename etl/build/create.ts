import { ACCEPTED } from "../../lib/domain/codes.js";
import type { Client } from "../../lib/postgres/pool.js";
import { type PlannedMonth, timeOf } from "../plan.js";

/** Makes the builds of a run's months, with the rule that tells the plainly right rows from the suspects. */
export async function createBuilds(
  client: Client,
  runId: string,
  months: readonly PlannedMonth[],
): Promise<void> {
  const times = months.map(timeOf);
  await client.query("SELECT etl.create_builds($1, $2, $3, $4, $5)", [
    runId,
    months.map(({ month }) => month),
    times.map(({ opens }) => opens),
    times.map(({ closes }) => closes),
    ACCEPTED,
  ]);
}

export async function dropBuild(client: Client, runId: string, month: string): Promise<void> {
  await client.query("SELECT etl.drop_build($1, $2)", [runId, month]);
}
