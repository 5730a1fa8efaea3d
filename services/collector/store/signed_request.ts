import type { Pool } from "../../../lib/postgres/pool.js";
import type { Chore } from "../../../lib/runtime/housekeeping.js";
import { TOLERANCE_MS } from "../../../lib/webhook/verify.js";

/** A signature may be of a time to come, so it is good for twice the tolerance; as much again is for clocks that were set. */
const KEPT_MS = 3 * TOLERANCE_MS;

/** Forgets signed requests that would be refused as too old. */
export const oldSignedRequests = (pool: Pool): Chore => ({
  name: "signatures",
  everyMs: TOLERANCE_MS,
  run: () =>
    pool.query(
      "DELETE FROM collector.signed_request WHERE signed_at < now() - make_interval(secs => $1::float8)",
      [KEPT_MS / 1_000],
    ),
});
