import { hexOf, newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import type { Outbox } from "../../lib/messaging/outbox.js";
import type { Instruments } from "../../lib/observability/registry.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import type { Chore } from "../../lib/runtime/housekeeping.js";
import { ingestRetryRequested } from "../contracts/ingest_retry_requested.js";
import type { ingestMetrics } from "./metrics.js";
import type { Normaliser } from "./normaliser.js";
import { renormalise } from "./renormalise.js";
import { takeDue } from "./store/retry.js";

const BATCH = 200;

export interface RetryOptions {
  readonly normaliser: Normaliser;
  readonly metrics: Pick<Instruments<typeof ingestMetrics>, "retried">;
  readonly outbox: () => Outbox;
  readonly everyMs: number;
}

/**
 * Tries events again that nobody understood. The last attempt is left to `handlers/on_retry_requested.ts`, whose failure makes a
 * dead letter. Any number of processes may do so at once.
 */
export const retryChore = (pool: Pool, options: RetryOptions): Chore => ({
  name: "events that nobody understood",
  everyMs: options.everyMs,
  run: async () => {
    for (let taken = BATCH; taken === BATCH; ) {
      taken = await retrySome(pool, options);
    }
  },
});

async function retrySome(pool: Pool, { normaliser, metrics, ...options }: RetryOptions): Promise<number> {
  const outbox = options.outbox();
  const { due, requests } = await transaction(pool, async (tx) => {
    const taken = await takeDue(tx, BATCH);
    const last = taken
      .filter(({ isLast }) => isLast)
      // An event's last attempt is a trace of its own, by its id: the letter that comes of it is found by that.
      .map(({ id }) =>
        eventMessage(ingestRetryRequested, { event_id: id }, { messageId: newId(), traceId: hexOf(id) }),
      );
    await outbox.enter(tx, last);
    return { due: taken, requests: last };
  });
  outbox.send(requests);
  metrics.retried.inc({ outcome: "given_up" }, requests.length);
  const open = due.filter(({ isLast }) => !isLast);
  if (open.length > 0) {
    const bodies = new Set(open.map(({ bodyId }) => bodyId));
    const changes = await renormalise(pool, normaliser, [...bodies], "retry");
    const understood = changes.filter(
      ({ before, after }) => before?.code != null && after.code === null,
    ).length;
    metrics.retried.inc({ outcome: "understood" }, understood);
    metrics.retried.inc({ outcome: "open" }, Math.max(0, open.length - understood));
  }
  return due.length;
}
