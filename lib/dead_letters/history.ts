import type { Queryable } from "../postgres/pool.js";

/** Dead letters of a day, of a queue and of a reason. */
export interface LettersOfDay {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  readonly queue: string;
  readonly event: string | null;
  readonly code: string;
  /** Of the last attempt. */
  readonly lastCode: string;
  readonly letters: number;
}

/** A replay or a purge. */
export interface ActionTaken {
  readonly actionId: number;
  readonly startedAt: Date;
  readonly action: string;
  readonly queue: string;
  readonly state: string;
  readonly lettersDone: number;
  readonly lettersSelected: number;
  readonly osUser: string;
  readonly host: string;
}

export interface Period {
  readonly days: number;
  /** Of dead letters; undefined: all. */
  readonly queue: string | undefined;
}

/** What became dead letters in the last days, newest day first. */
export async function lettersByDay(db: Queryable, { days, queue }: Period): Promise<readonly LettersOfDay[]> {
  const { rows } = await db.query<LettersOfDay>(
    `SELECT (recorded_at AT TIME ZONE 'UTC')::date AS day, queue, event, code, last_code AS "lastCode", count(*) AS letters
     FROM ops.dead_letter
     WHERE recorded_at > now() - make_interval(days => $1) AND ($2::text IS NULL OR queue = $2)
     GROUP BY 1, 2, 3, 4, 5 ORDER BY day DESC, letters DESC, queue, event, code, "lastCode"`,
    [days, queue ?? null],
  );
  return rows;
}

/** What was done with dead letters in the last days, newest first. */
export async function actionsTaken(db: Queryable, { days, queue }: Period): Promise<readonly ActionTaken[]> {
  const { rows } = await db.query<ActionTaken>(
    `SELECT action_id AS "actionId", started_at AS "startedAt", action, queue, state, letters_done AS "lettersDone",
            letters_selected AS "lettersSelected", os_user AS "osUser", host
     FROM ops.dead_letter_action
     WHERE started_at > now() - make_interval(days => $1) AND ($2::text IS NULL OR queue = $2)
     ORDER BY action_id DESC`,
    [days, queue ?? null],
  );
  return rows;
}

/** A dead letter that a trace ended in, and what was done with it. */
export interface LetterOfTrace {
  readonly recordedAt: Date;
  readonly queue: string;
  readonly consumer: string;
  readonly event: string | null;
  readonly messageId: string | null;
  readonly code: string;
  readonly lastCode: string;
  readonly attempts: number;
  /** First done with it since: `replay` or `purge`; null: nothing. */
  readonly action: string | null;
  readonly actionAt: Date | null;
}

/** @param traceId 32 hex digits */
export async function lettersOfTrace(db: Queryable, traceId: string): Promise<readonly LetterOfTrace[]> {
  const { rows } = await db.query<LetterOfTrace>(
    `SELECT d.recorded_at AS "recordedAt", d.queue, d.consumer, d.event, d.message_id AS "messageId", d.code,
            d.last_code AS "lastCode", d.attempts, taken.action, taken.at AS "actionAt"
     FROM ops.dead_letter d
     LEFT JOIN LATERAL (
       SELECT a.action, l.recorded_at AS at
       FROM ops.dead_letter_action_letter l JOIN ops.dead_letter_action a USING (action_id)
       WHERE l.letter_id = d.message_id AND a.queue = d.queue AND l.recorded_at > d.recorded_at
       ORDER BY l.recorded_at LIMIT 1
     ) taken ON true
     WHERE d.trace_id = $1::uuid ORDER BY d.letter_no`,
    [traceId],
  );
  return rows;
}
