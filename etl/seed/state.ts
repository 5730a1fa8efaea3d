import type { Queryable } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import { POPULATION } from "../world/world.js";

/** `absent`: nothing seeded yet; `other`: seeded, but with dimensions this code's generator does not refer to. */
export type SeedState = "absent" | "same" | "other";

export async function seedState(db: Queryable): Promise<SeedState> {
  const { rows } = await db.query<{ same: boolean }>(
    `SELECT (seed, accounts, merchants, terminals) = ($1::bigint, $2::integer, $3::integer, $4::integer) AS same
     FROM etl.population`,
    [POPULATION.seed, POPULATION.accounts, POPULATION.merchants, POPULATION.terminals],
  );
  if (rows[0] === undefined) {
    return "absent";
  }
  return rows[0].same ? "same" : "other";
}

/** @throws PlatformError NOT_SEEDED: without its dimensions every row of a run would be rejected as an orphan. */
export async function requireSeed(db: Queryable): Promise<void> {
  const state = await seedState(db);
  if (state === "same") {
    return;
  }
  if (state === "absent") {
    throw new EtlError("NOT_SEEDED", "accounts, merchants and terminals are missing.", {
      hint: "Run: payments seed.",
    });
  }
  throw new EtlError("NOT_SEEDED", "the dimensions were seeded by another release with other contents.", {
    hint: "Use a fresh database for this release.",
  });
}
