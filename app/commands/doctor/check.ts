import { messageOf, PlatformError } from "../../../lib/errors.js";
import type { Pool, SettingsRole } from "../../../lib/postgres/pool.js";
import { explain, type Target } from "../../../lib/postgres/refusal.js";
import { withPool } from "../../../lib/postgres/with_pool.js";
import type { Settings } from "../../../lib/settings/base.js";

/** Looks at one thing. @returns what it found. @throws when something will not work, with what and what to do. */
export type Check = readonly [what: string, run: () => Promise<string>];

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly note: string;
}

/** @param target the database that an SQLSTATE is about. */
export async function examine([what, run]: Check, target: Target): Promise<Finding> {
  try {
    return { what, ok: true, note: await run() };
  } catch (error) {
    const known = error instanceof PlatformError ? error : explain(error, target);
    return { what, ok: false, note: known === undefined ? messageOf(error) : String(known) };
  }
}

/** Runs `work` on one connection. */
export function withConnection<T>(
  settings: Settings,
  role: SettingsRole,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  return withPool(settings, { role, applicationName: "payments-doctor" }, work);
}
