import { LeakAudit, type LeakReport, type Sampling } from "../../etl/leak/audit.js";
import type { LeakRow } from "../../etl/leak/row.js";
import { planRun } from "../../etl/plan.js";
import { ACCOUNT_COLUMNS, accountLines, MERCHANT_COLUMNS, merchantLines } from "../../etl/seed/rows.js";
import type { PlannedSpec } from "../../etl/spec.js";
import { inspect } from "./chunk.js";

const DAY_MS = 86_400_000;

/** For tests only: audits without a database what one would hold: the rows that clean accepts, joined to what `payments seed` writes. */
export function auditOf(spec: PlannedSpec, sampling: Sampling): LeakReport {
  const { accounts, merchants } = dimensions();
  const audit = new LeakAudit(sampling);
  for (let chunkNo = 0; chunkNo < planRun(spec).chunks; chunkNo++) {
    for (const { cents, ...row } of inspect(spec, chunkNo).accepted) {
      audit.add({
        ...row,
        amount: cents / 100,
        accountFacts: known(accounts.get(row.account)),
        merchantFacts: known(merchants.get(row.merchant)),
      });
    }
  }
  return audit.report();
}

interface Dimensions {
  readonly accounts: ReadonlyMap<number, LeakRow["accountFacts"]>;
  readonly merchants: ReadonlyMap<number, LeakRow["merchantFacts"]>;
}

let read: Dimensions | undefined;

function dimensions(): Dimensions {
  read ??= {
    accounts: byId(ACCOUNT_COLUMNS, accountLines(), (value) => ({
      account_country: value("country"),
      account_currency: value("currency"),
      account_segment: value("segment"),
      account_spending_level: Number(value("spending_level")),
      account_opened_on: Date.parse(value("opened_on")) / DAY_MS,
    })),
    merchants: byId(MERCHANT_COLUMNS, merchantLines(), (value) => ({
      merchant_category: value("category"),
      merchant_country: value("country"),
      merchant_city: value("city"),
      merchant_currency: value("currency"),
      merchant_price_level: Number(value("price_level")),
    })),
  };
  return read;
}

/** Lines of COPY's text format by their first column. */
function byId<F>(
  columns: string,
  lines: Iterable<string>,
  factsOf: (value: (column: string) => string) => F,
): Map<number, F> {
  const names = columns.split(", ");
  const facts = new Map<number, F>();
  for (const line of lines) {
    const values = line.trimEnd().split("\t");
    facts.set(
      Number(values[0]),
      factsOf((column) => known(values[names.indexOf(column)])),
    );
  }
  return facts;
}

function known<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new Error("no such column or id");
  }
  return value;
}
