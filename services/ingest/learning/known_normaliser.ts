import type { Queryable } from "../../../lib/postgres/pool.js";
import { RULE_SET } from "../domain/rules/index.js";
import type { Normaliser } from "../normaliser.js";
import { mappingsInForce } from "../store/learning.js";
import { Knowledge, understood } from "./knowledge.js";

/** Understands by rules and by the mappings of now, in a process that has no `Learning`: forecasts, which only read. */
export async function knownNormaliser(db: Queryable): Promise<Normaliser> {
  const knowledge = new Knowledge();
  knowledge.set(await mappingsInForce(db), []);
  return {
    normalise: async (bodies) =>
      bodies.map((body) => understood(body, knowledge, { rules: RULE_SET, isPending: false })),
  };
}
