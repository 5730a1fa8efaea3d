import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type { DeadLetter } from "../broker/dead_letter.js";
import type { Queryable } from "../postgres/pool.js";
import { previewOf } from "./present.js";
import type { Selection } from "./selection.js";

export type ActionKind = "replay" | "purge";

/** The trace an action leaves in the database: one row for itself, one for each letter, all written before the action is done. */
export class Audit {
  readonly actionId: number;
  readonly #db: Queryable;
  #letters = 0;

  private constructor(db: Queryable, actionId: number) {
    this.#db = db;
    this.actionId = actionId;
  }

  static async begin(
    db: Queryable,
    action: { kind: ActionKind; queue: string; selection: Selection; total: number; by?: string | undefined },
  ): Promise<Audit> {
    const { kind, queue, selection, total, by = osUser() } = action;
    const { id = null, code = null } = selection;
    const { rows } = await db.query<{ action_id: number }>(
      `INSERT INTO ops.dead_letter_action (action, queue, letter_id, error_code, os_user, host, letters_total)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING action_id`,
      [kind, queue, id, code, by, hostname(), total],
    );
    return new Audit(db, Number(rows[0]?.action_id));
  }

  /** Letters that may now leave the queue, of those selected since the last call. */
  async record(selected: number, done: readonly DeadLetter[]): Promise<void> {
    const from = this.#letters;
    await this.#db.query(
      `WITH letters AS (
         INSERT INTO ops.dead_letter_action_letter
           (action_id, letter_no, letter_id, error_code, last_failed_at, body_bytes, body_sha256, body_preview)
         SELECT $1, $2 + n, id, code, at, bytes, sha256, preview
         FROM unnest($4::text[], $5::text[], $6::timestamptz[], $7::integer[], $8::text[], $9::text[])
              WITH ORDINALITY AS l (id, code, at, bytes, sha256, preview, n)
       )
       UPDATE ops.dead_letter_action
       SET letters_selected = letters_selected + $3, letters_done = letters_done + cardinality($4::text[])
       WHERE action_id = $1`,
      [
        this.actionId,
        from,
        selected,
        done.map((letter) => letter.id),
        done.map((letter) => letter.code),
        done.map((letter) => letter.lastFailedAt ?? null),
        done.map((letter) => letter.body.length),
        done.map((letter) => createHash("sha256").update(letter.body).digest("hex")),
        done.map((letter) => previewOf(letter.body, PREVIEW_CHARS)),
      ],
    );
    this.#letters += done.length;
  }

  async end(failure?: string): Promise<void> {
    await this.#db.query(
      `UPDATE ops.dead_letter_action SET state = $2, failure = $3, finished_at = clock_timestamp() WHERE action_id = $1`,
      [this.actionId, failure === undefined ? "completed" : "failed", failure ?? null],
    );
  }
}

/** A message of the pipeline fits in whole. */
const PREVIEW_CHARS = 200;

/** In a container the user may have a number only. */
function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
