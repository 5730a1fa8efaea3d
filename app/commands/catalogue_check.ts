import { CoreError } from "../../lib/core_errors.js";
import { catalogueChanges } from "../../lib/postgres/catalogue.js";
import type { Pool } from "../../lib/postgres/pool.js";

/** More would not fit a line; `payments migrate verify` has them all. */
const SHOWN = 3;

/**
 * For doctor: whether tables, functions and rights are those that migrations made.
 *
 * @throws PlatformError SCHEMA_DRIFT
 */
export async function checkCatalogue(pool: Pool): Promise<string> {
  const { differences, additions } = await catalogueChanges(pool);
  if (differences.length > 0) {
    const more = differences.length > SHOWN ? `; and ${differences.length - SHOWN} more` : "";
    throw new CoreError("SCHEMA_DRIFT", `${differences.slice(0, SHOWN).join("; ")}${more}.`, {
      hint: "Undo it, or loads may fail; all of it: payments migrate verify.",
    });
  }
  return additions.length === 0 ? "as expected" : `as expected, and ${additions.length} harmless addition(s)`;
}
