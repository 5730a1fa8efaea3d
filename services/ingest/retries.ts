import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import type { Outbox } from "../../lib/messaging/outbox.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import type { Chore } from "../../lib/runtime/housekeeping.js";
import { ingestRetryRequested } from "../contracts/ingest_retry_requested.js";
import type { Normaliser } from "./normaliser.js";
import { renormalise } from "./renormalise.js";
import { takeDue } from "./store/retry.js";

const BATCH = 200;

export interface RetryOptions {
  readonly normaliser: Normaliser;
  readonly outbox: () => Outbox;
  readonly everyMs: number;
}

/**
 * Tries events again that nobody understood. The last attempt is left to `handlers/on_retry_requested.ts`, whose failure makes a
 * dead letter. Any number of processes may do so at once.
 */
export const retryChore = (pool: Pool, { normaliser, outbox, everyMs }: RetryOptions): Chore => ({
  name: "events that nobody understood",
  everyMs,
  run: async () => {
    for (let taken = BATCH; taken === BATCH; ) {
      taken = await retrySome(pool, normaliser, outbox());
    }
  },
});

async function retrySome(pool: Pool, normaliser: Normaliser, outbox: Outbox): Promise<number> {
  const { due, requests } = await transaction(pool, async (tx) => {
    const taken = await takeDue(tx, BATCH);
    const last = taken
      .filter(({ isLast }) => isLast)
      .map(({ id }) => eventMessage(ingestRetryRequested, { event_id: id }, { messageId: newId() }));
    await outbox.enter(tx, last);
    return { due: taken, requests: last };
  });
  outbox.send(requests);
  const bodies = new Set(due.filter(({ isLast }) => !isLast).map(({ bodyId }) => bodyId));
  if (bodies.size > 0) {
    await renormalise(pool, normaliser, [...bodies], "retry");
  }
  return due.length;
}
