import { one } from "../../lib/postgres/one.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { publishedMonths } from "../ledger/month.js";
import { type Cell, type RefundLag, type Shape, shapesOf } from "./report.js";

export interface Profile {
  readonly rows: number;
  /** First days of the months that were read. */
  readonly months: readonly string[];
  readonly shapes: readonly Shape[];
}

/**
 * Reads published rows in one snapshot: of one month, or of all.
 *
 * @param month its first day
 * @throws PlatformError MONTH_UNKNOWN when that month, or any, is not published or has no row
 */
export async function profileOf(pool: Pool, month?: string): Promise<Profile> {
  return transaction(pool, async (client) => {
    await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    // Some 20,000 groups; the default would sort millions of rows on disk for them.
    await client.query("SET LOCAL work_mem = '128MB'");
    const published = await publishedMonths(client, month);
    const [first, last] = [published[0], published.at(-1)];
    if (first === undefined || last === undefined) {
      throw nothingOf(month, "is not published");
    }
    // A date is midnight of the session, and sessions are in UTC.
    const range = [first.month, last.after];
    const { rows: cells } = await client.query<Cell>(loadSql("profile_cells"), range);
    const merchants = await client.query<{ rows: number }>(loadSql("profile_merchants"), range);
    const refundLag = await client.query<RefundLag>(loadSql("profile_refund_lag"), range);
    const rows = cells.filter(({ by }) => by === "cell").reduce((sum, cell) => sum + cell.rows, 0);
    if (rows === 0) {
      throw nothingOf(month, "has no row");
    }
    return {
      rows,
      months: published.map((each) => each.month),
      shapes: shapesOf({
        cells,
        merchants: merchants.rows.map((merchant) => merchant.rows),
        refundLag: one(refundLag.rows),
      }),
    };
  });
}

function nothingOf(month: string | undefined, why: string): EtlError {
  const what =
    month === undefined ? "no month is published, or none has a row." : `${month.slice(0, 7)} ${why}.`;
  return new EtlError("MONTH_UNKNOWN", what, {
    hint: "Load some: payments kickoff. What there is: payments status.",
  });
}
