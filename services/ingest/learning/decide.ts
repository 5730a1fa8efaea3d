import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import { IngestError } from "../errors.js";
import {
  findMapping,
  loadFamily,
  saveMappings,
  saveSamples,
  seizeFamily,
  unsettle,
} from "../store/learning.js";
import { Family } from "./family.js";
import type { Learning } from "./learning.js";

/**
 * A person's word about a mapping: it becomes a rule, or is rejected for good. What it read is read anew by `Learning.settle`, which any
 * process does.
 *
 * @returns its state
 * @throws IngestError MAPPING_UNKNOWN, or MAPPING_DECIDED for one that is rejected or retired
 */
export async function decide(
  pool: Pool,
  learning: Pick<Learning, "load">,
  { id, decision, by }: { readonly id: string; readonly decision: "accept" | "reject"; readonly by: string },
): Promise<string> {
  const state = await transaction(pool, async (tx) => {
    const found = await findMapping(tx, id);
    if (found === undefined) {
      throw new IngestError("MAPPING_UNKNOWN", `there is no mapping ${id}.`);
    }
    await seizeFamily(tx, found.family);
    const family = new Family(found.family, await loadFamily(tx, found.family));
    const decided = family.decide(id, decision);
    if (decided === undefined) {
      throw new IngestError("MAPPING_DECIDED", `mapping ${id} is ${found.state}.`);
    }
    await saveMappings(tx, family.weighed, by);
    await saveSamples(tx, found.family, family.samples);
    await unsettle(tx, found.family, family.unsettled);
    return decided.state;
  });
  await learning.load();
  return state;
}
