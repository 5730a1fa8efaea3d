import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Rate } from "../rates.js";

/** A rate of the same day is replaced. */
export async function enterRates(db: Queryable, rates: readonly Rate[]): Promise<void> {
  await db.query(
    `INSERT INTO ingest.fx_rate (currency, day, usd, source)
     SELECT * FROM unnest($1::text[], $2::date[], $3::numeric[], $4::text[])
     ON CONFLICT (currency, day) DO UPDATE SET usd = excluded.usd, source = excluded.source, loaded_at = now()`,
    [
      rates.map(({ currency }) => currency),
      rates.map(({ day }) => day),
      rates.map(({ usd }) => usd),
      rates.map(({ source }) => source),
    ],
  );
}
