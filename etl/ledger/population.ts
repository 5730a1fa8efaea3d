import type { Client, Queryable } from "../../lib/postgres/pool.js";
import { POPULATION } from "../world/world.js";

const VALUES = [POPULATION.seed, POPULATION.accounts, POPULATION.merchants, POPULATION.terminals];

/** Whether the dimensions are those of this code; undefined when nothing is seeded yet. */
export async function isOurPopulation(db: Queryable): Promise<boolean | undefined> {
  const { rows } = await db.query<{ same: boolean }>(
    `SELECT (seed, accounts, merchants, terminals) = ($1::bigint, $2::integer, $3::integer, $4::integer) AS same
     FROM etl.population`,
    VALUES,
  );
  return rows[0]?.same;
}

/** Two seeds at once: the second waits, then finds the first one's work. */
export async function lockPopulation(client: Client): Promise<void> {
  await client.query("LOCK TABLE etl.population IN SHARE ROW EXCLUSIVE MODE");
}

export async function enterPopulation(client: Client): Promise<void> {
  await client.query(
    "INSERT INTO etl.population (seed, accounts, merchants, terminals) VALUES ($1, $2, $3, $4)",
    VALUES,
  );
}
