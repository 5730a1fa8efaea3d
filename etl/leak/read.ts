import { codeOf } from "../../lib/errors.js";
import { type Client, type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import { loadSql, quoteName } from "../../lib/postgres/sql.js";
import { leafTable } from "../build/names.js";
import { EtlError } from "../errors.js";
import { acceptedByKey } from "../ledger/reading.js";
import type { Run } from "../ledger/run.js";
import { planRun } from "../plan.js";
import { LeakAudit, type LeakReport } from "./audit.js";
import type { LeakRow } from "./row.js";

const NO_SUCH_TABLE = "42P01";
/** At a time from a cursor: some megabytes. */
const FETCHED_ROWS = 10_000;
/** Kept for the guesses at most, so that memory does not follow the size of the run; all are looked at for the history. */
const KEPT_ROWS = { honest: 300_000, fraud: 100_000 };
/**
 * Fewer rows of a kind say too little: a few episodes in few shops look like a rule. With some 660 fraudulent rows (300,000 at the usual
 * rate) single pairs are over the bounds, with 1,730 and more (1,000,000) none is.
 */
const LEAST_ROWS = 1_500;

/**
 * Audits a run's rows in one snapshot.
 *
 * @throws PlatformError RUN_UNFINISHED, FRAUD_TOO_RARE, HONEST_TOO_RARE, LEAF_CHANGED when one of its months is gone or empty, NOT_SEEDED when an
 *   account or merchant is
 */
export async function auditRun(pool: Pool, { runId, state, spec }: Run): Promise<LeakReport> {
  if (state !== "done") {
    throw new EtlError("RUN_UNFINISHED", `run ${runId} is ${state}: only what is done can be audited.`);
  }
  // Before millions of rows are read and their leaves held.
  const due = await acceptedByKey(pool, runId);
  requireEnough(runId, due);
  const audit = new LeakAudit({
    honestOneIn: Math.ceil((due.rows - due.fraud) / KEPT_ROWS.honest),
    fraudOneIn: Math.ceil(due.fraud / KEPT_ROWS.fraud),
  });
  await transaction(pool, async (client) => {
    await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const leaves = planRun(spec).months.map(({ month }) => leafTable(month));
    // Before the snapshot, which the first SELECT takes: a leaf that another takes the place of later would be empty in it.
    for (const leaf of leaves) {
      await hold(client, leaf);
    }
    const accounts = await factsOf<LeakRow["accountFacts"]>(
      client,
      `SELECT account_id AS id, country AS account_country, currency AS account_currency, segment AS account_segment,
              spending_level::float8 AS account_spending_level, opened_on - date '1970-01-01' AS account_opened_on
       FROM payments.account`,
    );
    const merchants = await factsOf<LeakRow["merchantFacts"]>(
      client,
      `SELECT merchant_id AS id, category AS merchant_category, country AS merchant_country, city AS merchant_city,
              currency AS merchant_currency, price_level::float8 AS merchant_price_level
       FROM payments.merchant`,
    );
    const ids = [spec.firstTxnId, spec.firstTxnId + spec.rows];
    for (const leaf of leaves) {
      const before = audit.counts.rows;
      for await (const row of rowsOf(client, leaf, ids)) {
        const accountFacts = known(accounts.get(row.account), `account ${row.account}`);
        const merchantFacts = known(merchants.get(row.merchant), `merchant ${row.merchant}`);
        audit.add({ ...row, accountFacts, merchantFacts });
      }
      if (audit.counts.rows === before) {
        throw leafChanged(`${leaf} has no row of run ${runId}: it is not whole.`);
      }
    }
  });
  // Once more by what is there: somebody may have deleted rows.
  requireEnough(runId, audit.counts);
  return audit.report();
}

function requireEnough(runId: string, { rows, fraud }: { rows: number; fraud: number }): void {
  const tooFew = (kind: string, found: number) =>
    `run ${runId} has ${found} ${kind} rows; to tell a leak takes ${LEAST_ROWS}.`;
  if (fraud < LEAST_ROWS) {
    const hint = "Audit a larger run, or one of a higher --fraud-rate.";
    throw new EtlError("FRAUD_TOO_RARE", tooFew("fraudulent", fraud), { hint });
  }
  if (rows - fraud < LEAST_ROWS) {
    const hint = "Audit a larger run, or one of a lower --fraud-rate.";
    throw new EtlError("HONEST_TOO_RARE", tooFew("honest", rows - fraud), { hint });
  }
}

async function hold(client: Client, leaf: string): Promise<void> {
  try {
    await client.query(`LOCK TABLE ${quoteName(leaf)} IN ACCESS SHARE MODE`);
  } catch (error) {
    if (codeOf(error) !== NO_SUCH_TABLE) {
      throw error;
    }
    throw leafChanged(`${leaf} is missing: the run is not whole.`, error);
  }
}

function leafChanged(message: string, cause?: unknown): EtlError {
  const hint =
    "Is it detached, dropped or emptied (payments verify)? Attach it, or rebuild it: payments heal MONTH.";
  return new EtlError("LEAF_CHANGED", message, { hint, cause });
}

async function* rowsOf(
  client: Client,
  leaf: string,
  ids: readonly number[],
): AsyncGenerator<Omit<LeakRow, "accountFacts" | "merchantFacts">> {
  await client.query(`DECLARE leak_rows NO SCROLL CURSOR FOR ${loadSql("leak_rows", { leaf })}`, [...ids]);
  for (;;) {
    const { rows } = await client.query<Omit<LeakRow, "accountFacts" | "merchantFacts">>(
      `FETCH ${FETCHED_ROWS} FROM leak_rows`,
    );
    yield* rows;
    if (rows.length < FETCHED_ROWS) {
      break;
    }
  }
  await client.query("CLOSE leak_rows");
}

async function factsOf<F extends object>(db: Queryable, sql: string): Promise<ReadonlyMap<number, F>> {
  const { rows } = await db.query<{ id: number }>(sql);
  return new Map(rows.map(({ id, ...facts }) => [id, facts as F]));
}

/** Rows without them would be guessed at by fewer columns. */
function known<F>(facts: F | undefined, who: string): F {
  if (facts === undefined) {
    throw new EtlError("NOT_SEEDED", `${who} has transactions and is missing.`, {
      hint: "Somebody deleted it, see: payments verify. Restore a backup.",
    });
  }
  return facts;
}
