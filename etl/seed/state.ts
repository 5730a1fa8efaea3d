import type { Queryable } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import { isOurPopulation } from "../ledger/population.js";

/** `absent`: nothing seeded yet; `other`: seeded, but with dimensions this code's generator does not refer to. */
export type SeedState = "absent" | "same" | "other";

export async function seedState(db: Queryable): Promise<SeedState> {
  const ours = await isOurPopulation(db);
  if (ours === undefined) {
    return "absent";
  }
  return ours ? "same" : "other";
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
