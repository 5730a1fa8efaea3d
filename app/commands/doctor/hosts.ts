import { type CoreCode, CoreError } from "../../../lib/core_errors.js";
import { PlatformError } from "../../../lib/errors.js";
import { placesOf, placeText } from "../../../lib/places.js";
import { one } from "../../../lib/postgres/one.js";
import { type Address, addressOf } from "../../../lib/postgres/pool.js";
import { withPool } from "../../../lib/postgres/with_pool.js";
import type { Settings } from "../../../lib/settings/base.js";

interface Server {
  readonly name: string;
  readonly role: "primary" | "standby";
  readonly startedAt: string;
}

/**
 * The servers of POSTGRES_HOST and POSTGRES_READ_HOSTS, each with its role, as text; that of the one server where there is one only.
 *
 * @throws Error when two of POSTGRES_HOST are primaries, PlatformError when one of all does not let us in.
 */
export async function hosts(settings: Settings): Promise<string> {
  const address = addressOf(settings);
  const own = placesOf(address);
  const { POSTGRES_READ_HOSTS: replicas } = settings;
  const places = [...own, ...(replicas === "" ? [] : placesOf({ ...address, host: replicas }))];
  if (places.length === 1) {
    return ` at ${placeText(own[0])}`;
  }
  // Each for itself.
  const found = await Promise.allSettled(places.map((place) => serverAt({ ...address, ...place })));
  const servers = found.map((each) => (each.status === "fulfilled" ? each.value : undefined));
  const named = places.map((place, n) => `${placeText(place)} ${servers[n]?.role ?? "FAIL"}`).join(", ");
  requireOnePrimary(servers.slice(0, own.length).filter((each) => each !== undefined));
  const failure = found.find((each) => each.status === "rejected")?.reason;
  if (failure instanceof PlatformError) {
    // The next failover would find nobody there, or reads that may lag are the primary's.
    const { code, message, hint } = failure;
    throw new CoreError(code as CoreCode, `${named}: ${message}`, { hint });
  }
  return `; ${named}`;
}

async function serverAt(at: Address): Promise<Server> {
  return withPool(at, { applicationName: "payments-doctor" }, async (pool) => {
    const { rows } = await pool.query<{ standby: boolean; started: string }>(
      "SELECT pg_is_in_recovery() AS standby, pg_postmaster_start_time()::text AS started",
    );
    const { standby, started: startedAt } = one(rows);
    return { name: placeText(at), role: standby ? "standby" : "primary", startedAt };
  });
}

/** One that has several names, as of two poolers before it, was started once. @throws Error */
export function requireOnePrimary(servers: readonly Server[]): void {
  const primaries = servers.filter(({ role }) => role === "primary");
  if (new Set(primaries.map(({ startedAt }) => startedAt)).size > 1) {
    const names = primaries.map(({ name }) => name).join(" and ");
    throw new Error(
      `${names} are primaries: each takes changes that the other lacks. Stop the one that the failover left, and make it a standby anew: docs/deployment.md, Failover.`,
    );
  }
}
