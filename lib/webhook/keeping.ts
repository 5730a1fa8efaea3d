import type { Pool } from "../postgres/pool.js";
import type { Chore } from "../runtime/housekeeping.js";
import { WebhookTable } from "./table.js";

const HOUR_MS = 3_600_000;

/** Gives up webhooks whose time is over and deletes old ones; also where none are sent any more. @param keepS those that were delivered. */
export function webhookChore(pool: Pool, schema: string, keepS: number): Chore {
  const table = new WebhookTable(pool, schema);
  return {
    name: "webhooks",
    everyMs: HOUR_MS,
    run: async () => {
      while ((await table.expire()) > 0) {
        // More are over.
      }
      while (await table.purge(keepS)) {
        // More are as old.
      }
    },
  };
}
