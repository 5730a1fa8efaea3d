import type { Pool, SettingsRole } from "../../../lib/postgres/pool.js";
import { withPool } from "../../../lib/postgres/with_pool.js";
import type { Settings } from "../../../lib/settings/base.js";

/** Looks at one thing. @returns what it found. @throws when something will not work, with what and what to do. */
export type Check = readonly [what: string, run: () => Promise<string>];

export function withConnection<T>(
  settings: Settings,
  role: SettingsRole,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  return withPool(settings, { role, applicationName: "payments-doctor" }, work);
}
