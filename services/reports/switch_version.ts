import type { Queryable } from "../../lib/postgres/pool.js";
import type { Version } from "./domain/version.js";
import { ReportsError } from "./errors.js";
import { enterSwitch, readServed, type Served, type Switch } from "./store/switch.js";

/** Switches that meet: each round one of them has won, and there are few people who switch. */
const TRIES = 20;

/**
 * Serves a version from now on. Where it is served already nothing is switched.
 *
 * @returns what is served then
 * @throws ReportsError REPORT_EPOCH_STALE where `ifEpoch` is not the epoch any more
 */
export async function switchVersion(
  db: Queryable,
  { version, ifEpoch = null, by, traceId }: Omit<Switch, "generation"> & { readonly version: Version },
): Promise<Served> {
  for (let tries = 0; tries < TRIES; tries++) {
    const switched = await enterSwitch(db, { version, ifEpoch, by, traceId });
    const served = await readServed(db);
    // Another one may have been faster, or faster since: then what is served is not ours, but the switch was.
    if (switched || served.version === version) {
      requireEpoch(ifEpoch, switched ? null : served.epoch);
      return served;
    }
    requireEpoch(ifEpoch, served.epoch);
  }
  throw new Error(`switched to ${version} ${TRIES} times in vain`);
}

/** @throws ReportsError REPORT_EPOCH_STALE */
function requireEpoch(wanted: number | null, current: number | null): void {
  if (wanted !== null && current !== null && wanted !== current) {
    throw new ReportsError(
      "REPORT_EPOCH_STALE",
      `the epoch is ${current}, not ${wanted}: somebody has switched since.`,
      {
        field: { in: "header", pointer: "#/if-match" },
      },
    );
  }
}
