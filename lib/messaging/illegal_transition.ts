import type { Queryable } from "../postgres/pool.js";
import { quoteName } from "../postgres/sql.js";

/** An event that was not applied, and why. */
export interface IllegalTransition {
  readonly messageId: string;
  readonly event: string;
  /** What it is about, e.g. a payment. */
  readonly subjectId: string;
  /** That it met. */
  readonly state: string;
  readonly reason: string;
}

/** Records events that came early or late, or contradict what is known; each once. @param schema whose table it is */
export async function recordIllegalTransitions(
  db: Queryable,
  schema: string,
  transitions: readonly IllegalTransition[],
): Promise<void> {
  if (transitions.length === 0) {
    return;
  }
  const table = quoteName(`${schema}.illegal_transition`);
  await db.query({
    name: `illegal transitions ${table}`,
    text: `INSERT INTO ${table} (message_id, event, subject_id, state, reason)
           SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[])
           ON CONFLICT DO NOTHING`,
    values: [
      transitions.map(({ messageId }) => messageId),
      transitions.map(({ event }) => event),
      transitions.map(({ subjectId }) => subjectId),
      transitions.map(({ state }) => state),
      transitions.map(({ reason }) => reason),
    ],
  });
}
