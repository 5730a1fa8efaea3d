import { audit } from "../../app/audit.js";
import { MODULES } from "../../app/modules.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "./database.js";
import type { Platform } from "./platform.js";

/** Whether the services' books agree with nothing in flight, as `payments audit --quiesced` asks. */
export async function booksAgree(platform: Platform): Promise<boolean> {
  const options = { graceS: 0, giveUpS: 0, settings: platform.settings };
  const { differences, unread } = await audit(platform.pool, MODULES, options);
  return differences.length === 0 && unread.length === 0;
}

/** What dead processes had claimed of outboxes is free again, as it would be by itself after 30 s. */
export async function freeClaims(platform: Platform): Promise<void> {
  await asOwner(platform, (owner) =>
    owner.query("UPDATE saga.outbox SET claimed_until = NULL; UPDATE wallet.outbox SET claimed_until = NULL"),
  );
}

/** As the owner of all tables. */
export function asOwner<T>(platform: Platform, work: (owner: Pool) => Promise<T>): Promise<T> {
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (owner) => {
    await owner.query("SET ROLE payments_owner");
    return work(owner);
  });
}
