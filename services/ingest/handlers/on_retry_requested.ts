import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecaster, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Pool, Queryable } from "../../../lib/postgres/pool.js";
import { ingestRetryRequested } from "../../contracts/ingest_retry_requested.js";
import type { IngestError } from "../errors.js";
import type { Normaliser } from "../normaliser.js";
import { foresee, renormalise } from "../renormalise.js";
import { findStanding, type Standing } from "../store/retry.js";

type Requested = ReceivedEvent<{ readonly event_id: string }>;

const UNKNOWN = ["INGEST_EVENT_UNKNOWN", "there is no such event"] as const;
const reasonOf = ({ code, detail }: Standing) => `${code}: ${detail}`;
/** Typed, so that the table of errors has both. */
const UNPROCESSED: keyof typeof IngestError.table = "INGEST_UNPROCESSED";

/** The last attempt: what is not understood now is a dead letter, whose replay is one more. */
export const onRetryRequested =
  (pool: () => Pool, normaliser: Normaliser) =>
  async (_: unknown, events: readonly Requested[]): Promise<readonly EventOutcome[]> => {
    const ids = events.map(({ body }) => body.event_id);
    const before = await findStanding(pool(), ids);
    const open = [...before.values()].filter(({ status }) => status === "UNPROCESSED");
    if (open.length > 0) {
      await renormalise(pool(), normaliser, [...new Set(open.map(({ bodyId }) => bodyId))], "last retry");
    }
    const after = await findStanding(pool(), ids);
    return ids.map((id): EventOutcome => {
      const standing = after.get(id);
      if (standing === undefined) {
        return { kind: "retry", code: UNKNOWN[0], reason: UNKNOWN[1] };
      }
      return standing.status === "UNPROCESSED"
        ? { kind: "reject", code: UNPROCESSED, reason: reasonOf(standing) }
        : { kind: "done" };
    });
  };

/** @param normaliserOf what the handler would understand events by: mappings that were learned are in the database */
export const forecastRetry = (
  normaliserOf: (db: Queryable) => Promise<Normaliser>,
): Forecaster<{ readonly event_id: string }> => ({
  event: ingestRetryRequested,
  forecast: async (db, events) => {
    const standing = await findStanding(
      db,
      events.map(({ body }) => body.event_id),
    );
    const bodies = [...new Set([...standing.values()].map(({ bodyId }) => bodyId))];
    const foreseen = await foresee(db, await normaliserOf(db), bodies);
    const changes = new Map(foreseen.map(({ id, after }) => [id, after]));
    return events.map(({ body }) => {
      const now = standing.get(body.event_id);
      if (now === undefined) {
        return wouldFail(...UNKNOWN);
      }
      if (now.status !== "UNPROCESSED") {
        return { kind: "already applied", why: `it is ${now.status}` };
      }
      const then = changes.get(body.event_id);
      return then === undefined || then.status === "UNPROCESSED"
        ? wouldFail(UNPROCESSED, reasonOf({ ...now, ...then }))
        : { kind: "would apply", why: `it would be ${then.status}` };
    });
  },
});
