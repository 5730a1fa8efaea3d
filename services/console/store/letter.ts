import type { Queryable } from "../../../lib/postgres/pool.js";

/** A dead letter as the record has it. */
export interface LetterRow {
  readonly queue: string;
  readonly consumer: string;
  readonly event: string | null;
  readonly messageId: string | null;
  readonly code: string;
  readonly lastCode: string;
  readonly attempts: bigint;
  readonly recordedAt: Date;
  readonly done: "replay" | "purge" | null;
}

/** Those that traces ended in. @param traces with or without dashes */
export async function lettersOf(db: Queryable, traces: readonly string[]): Promise<readonly LetterRow[]> {
  const { rows } = await db.query<LetterRow>({
    name: "console_letters",
    text: `SELECT queue, consumer, event, message_id AS "messageId", code, last_code AS "lastCode", attempts,
                  recorded_at AS "recordedAt", done
           FROM ops.console_dead_letter WHERE trace_id = ANY ($1::uuid[]) ORDER BY letter_no LIMIT 100`,
    values: [traces],
  });
  return rows;
}

export interface ReplayRow {
  readonly replayedBy: string;
  readonly replayedAt: Date;
}

/** When a letter was sent again, newest first; at most a hundred. Copies of a letter share its id. */
export async function replaysOf(db: Queryable, queue: string, id: string): Promise<readonly ReplayRow[]> {
  const { rows } = await db.query<ReplayRow>({
    name: "console_replays",
    text: `SELECT replayed_by AS "replayedBy", replayed_at AS "replayedAt" FROM ops.console_replay
           WHERE letter_id = $2 AND queue = $1 ORDER BY replayed_at DESC LIMIT 100`,
    values: [queue, id],
  });
  return rows;
}

export const bodyOfLetter = (row: LetterRow) => ({
  queue: row.queue,
  consumer: row.consumer,
  event: row.event,
  message_id: row.messageId,
  code: row.code,
  last_code: row.lastCode,
  attempts: Number(row.attempts),
  recorded_at: row.recordedAt.toISOString(),
  done: row.done,
});
