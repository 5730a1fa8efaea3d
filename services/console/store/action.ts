import { hexOf } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Action } from "../contracts/actions.js";

/** As it is entered, before it is done. */
export interface NewAction {
  readonly key: string;
  readonly fingerprint: Buffer;
  readonly kind: Action["kind"];
  readonly subject: string;
  /** What was asked for besides: the validated body without the reason. */
  readonly asked: object;
  /** Of two actions on the same thing one waits for the other's end. */
  readonly thing: string;
  readonly who: string;
  readonly why: string;
  /** 32 hex digits. */
  readonly traceId: string;
}

export interface ActionRow {
  readonly actionId: string;
  readonly fingerprint: Buffer;
  readonly kind: Action["kind"];
  readonly subject: string;
  readonly asked: Action["asked"];
  readonly state: Action["state"];
  readonly result: Action["result"];
  readonly failure: Action["failure"];
  readonly who: string;
  readonly why: string;
  readonly traceId: string;
  readonly begunAt: Date;
  readonly endedAt: Date | null;
}

/** Well above what a busy process may be late by. */
const LEASE = "interval '30 seconds'";
export const RENEW_MS = 10_000;

const COLUMNS = `action_id AS "actionId", fingerprint, kind, subject, asked, state, result, failure, who, why, trace_id AS "traceId",
  begun_at AS "begunAt", ended_at AS "endedAt"`;

const rowOf = (row: ActionRow): ActionRow => ({ ...row, traceId: hexOf(row.traceId) });

/** @returns undefined where the key was used before, or something is done to the same thing. */
export async function enterAction(db: Queryable, action: NewAction): Promise<ActionRow | undefined> {
  const { key, fingerprint, kind, subject, asked, thing, who, why, traceId } = action;
  const { rows } = await db.query<ActionRow>({
    name: "console_enter",
    text: `INSERT INTO console.action (key, fingerprint, kind, subject, asked, thing, who, why, trace_id, leased_until)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + ${LEASE})
           ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
    values: [key, fingerprint, kind, subject, jsonOf(asked), thing, who, why, traceId],
  });
  return rows.map(rowOf)[0];
}

export const findByKey = (db: Queryable, key: string) => findOne(db, "key = $1", key);
export const findRunning = (db: Queryable, thing: string) =>
  findOne(db, "thing = $1 AND state = 'running'", thing);
export const findAction = (db: Queryable, actionId: string) => findOne(db, "action_id = $1", actionId);

async function findOne(db: Queryable, where: string, value: string): Promise<ActionRow | undefined> {
  const { rows } = await db.query<ActionRow>(`SELECT ${COLUMNS} FROM console.action WHERE ${where}`, [value]);
  return rows.map(rowOf)[0];
}

export type Ending =
  | { readonly state: "done"; readonly result: object }
  | { readonly state: "failed"; readonly failure: NonNullable<Action["failure"]> };

/** @returns whether it did: not where somebody took its process for dead. */
export async function endAction(db: Queryable, actionId: string, ending: Ending): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "console_end",
    text: `UPDATE console.action SET state = $2, result = $3, failure = $4, ended_at = clock_timestamp()
           WHERE action_id = $1 AND state = 'running'`,
    values: [
      actionId,
      ending.state,
      ending.state === "done" ? jsonOf(ending.result) : null,
      ending.state === "failed" ? jsonOf(ending.failure) : null,
    ],
  });
  return rowCount === 1;
}

/** JSON has no bigint. */
const jsonOf = (value: object) =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));

/** Keeps actions from being taken for dead. */
export async function renewLeases(db: Queryable, actionIds: readonly string[]): Promise<void> {
  await db.query({
    name: "console_renew",
    text: `UPDATE console.action SET leased_until = now() + ${LEASE} WHERE action_id = ANY ($1::uuid[]) AND state = 'running'`,
    values: [actionIds],
  });
}

/** Ends the actions whose process has died. */
export async function endLost(db: Queryable, failure: NonNullable<Action["failure"]>): Promise<void> {
  await db.query({
    name: "console_lost",
    text: `UPDATE console.action SET state = 'failed', failure = $1, ended_at = clock_timestamp()
           WHERE state = 'running' AND leased_until < now()`,
    values: [jsonOf(failure)],
  });
}

/** Those that run, the oldest first. */
export async function runningActions(db: Queryable): Promise<readonly ActionRow[]> {
  const { rows } = await db.query<ActionRow>({
    name: "console_running",
    text: `SELECT ${COLUMNS} FROM console.action WHERE state = 'running' ORDER BY action_id LIMIT 20`,
  });
  return rows.map(rowOf);
}

/** Newest first. @param before the id where the page before ended */
export async function listActions(
  db: Queryable,
  { before, limit }: { readonly before: string; readonly limit: number },
): Promise<readonly ActionRow[]> {
  const { rows } = await db.query<ActionRow>({
    name: "console_list",
    text: `SELECT ${COLUMNS} FROM console.action WHERE action_id < $1 ORDER BY action_id DESC LIMIT $2`,
    values: [before, limit],
  });
  return rows.map(rowOf);
}

export const bodyOfAction = (row: ActionRow): Action => ({
  action_id: row.actionId,
  kind: row.kind,
  subject: row.subject,
  asked: row.asked,
  state: row.state,
  result: row.result,
  failure: row.failure,
  who: row.who,
  why: row.why,
  at: row.begunAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
});
