import { copyLines, copyText } from "../../lib/postgres/copy_lines.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { endRun, enterRun } from "../store/run.js";
import { type LakeRow, type LakeSpec, lakeRow, runName } from "./row.js";

export interface Filled {
  /** For `payments audit --traffic`. */
  readonly traffic: number;
  readonly rows: number;
  readonly seconds: number;
}

/** From one row to the next by their created_at. */
const STEP_MS = 10;

/**
 * Fills a data lake with rows of all shapes by COPY, and enters beforehand what must come of each. All or nothing on either side.
 *
 * @param pool of the platform's database
 * @param lake of the lake's
 */
export async function fillLake(
  { pool, lake }: { readonly pool: Pool; readonly lake: Pool },
  spec: LakeSpec,
  signal: AbortSignal,
): Promise<Filled> {
  const started = performance.now();
  const trafficId = await enterRun(pool, { lake: spec });
  const name = runName(trafficId);
  function* lines(lineOf: (row: LakeRow, n: number) => string) {
    for (let n = 0; n < spec.rows; n++) {
      yield `${lineOf(lakeRow(name, spec, n), n)}\n`;
    }
  }
  await transaction(pool, async (tx) => {
    await tx.query("SET LOCAL statement_timeout = 0");
    const key = "traffic.lake_row (traffic_id, row_id, source_key, same_as, outcomes)";
    await copyLines(
      tx,
      key,
      lines(({ id, transactionalId, sameAs, outcomes }) =>
        [
          trafficId,
          id,
          `${transactionalId}/${id}`,
          sameAs,
          `{${outcomes.map((each) => `"${each}"`).join(",")}}`,
        ].join("\t"),
      ),
      signal,
    );
  });
  const beganMs = Date.now() - spec.rows * STEP_MS;
  await transaction(lake, (tx) =>
    copyLines(
      tx,
      "public.raw_transactions (id, transactional_id, created_at, data, merchant)",
      lines(({ id, transactionalId, data, merchant }, n) =>
        [
          id,
          transactionalId,
          new Date(beganMs + n * STEP_MS).toISOString(),
          copyText(data),
          copyText(merchant),
        ].join("\t"),
      ),
      signal,
    ),
  );
  await endRun(pool, trafficId);
  return { traffic: trafficId, rows: spec.rows, seconds: (performance.now() - started) / 1_000 };
}
