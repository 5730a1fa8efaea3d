import { one } from "../postgres/one.js";
import type { Queryable } from "../postgres/pool.js";
import { quoteName } from "../postgres/sql.js";

/** A webhook that is to be sent. */
export interface PendingWebhook {
  /** Its webhook-id. */
  readonly id: string;
  /** What happened, e.g. `payment.approved`. */
  readonly type: string;
  /** What it is about, as its module entered it. */
  readonly data: unknown;
  readonly enteredAt: Date;
  /** Made before, in vain. */
  readonly attempts: number;
}

/** What became of a webhook that was claimed. */
export interface Settlement {
  readonly id: string;
  readonly state: "pending" | "delivered" | "failed";
  readonly attempts: number;
  /** Of the latest attempt; null: as it was. */
  readonly result: string | null;
  /** Of a pending one: until its next attempt. */
  readonly waitS: number;
}

/** Whoever claims a webhook has so long to send it and to say so; an attempt takes 15 s at most. */
const LEASE_S = 60;
/** What was given up is kept to be looked at, and to be begun anew. */
const FAILED_KEPT = "interval '30 days'";
/** Rows of a statement that cleans up: it takes milliseconds and keeps nobody waiting. */
const BATCH = 1_000;

/**
 * The tables `webhook` and `webhook_stop` of a schema, which `ops.add_webhook_tables` makes. Rows to be changed are chosen into an
 * array: in place of `IN (SELECT … LIMIT …)` PostgreSQL may join, choose several times, and change more than the limit.
 */
export class WebhookTable {
  readonly #db: Queryable;
  readonly #webhook: string;
  readonly #stop: string;

  constructor(db: Queryable, schema: string) {
    this.#db = db;
    this.#webhook = quoteName(`${schema}.webhook`);
    this.#stop = quoteName(`${schema}.webhook_stop`);
  }

  /** Takes webhooks that are due, longest first, for a lease; none while the endpoint is stopped. */
  async claim(limit: number): Promise<readonly PendingWebhook[]> {
    const { rows } = await this.#db.query<PendingWebhook>({
      name: "webhook_claim",
      text: `UPDATE ${this.#webhook} SET next_at = now() + make_interval(secs => ${LEASE_S})
             WHERE id = ANY (ARRAY(
               SELECT id FROM ${this.#webhook}
               WHERE state = 'pending' AND next_at <= now() AND NOT EXISTS (SELECT FROM ${this.#stop})
               ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED))
             RETURNING id, type, data, entered_at AS "enteredAt", attempts`,
      values: [limit],
    });
    return rows;
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    await this.#db.query({
      name: "webhook_settle",
      text: `UPDATE ${this.#webhook} w
             SET state = a.state, attempts = a.attempts, last_result = coalesce(a.result, w.last_result),
                 next_at = now() + make_interval(secs => a.wait_s), ended_at = CASE WHEN a.state <> 'pending' THEN now() END
             FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::float8[]) AS a (id, state, attempts, result, wait_s)
             WHERE w.id = a.id AND w.state = 'pending'`,
      values: [
        settlements.map(({ id }) => id),
        settlements.map(({ state }) => state),
        settlements.map(({ attempts }) => attempts),
        settlements.map(({ result }) => result),
        settlements.map(({ waitS }) => waitS),
      ],
    });
  }

  /** Keeps all processes from sending more. @param id whose receiver is gone. @returns whether nobody had done so before. */
  async stop(id: string): Promise<boolean> {
    const { rowCount } = await this.#db.query(
      `INSERT INTO ${this.#stop} (webhook_id) VALUES ($1) ON CONFLICT DO NOTHING`,
      [id],
    );
    return rowCount === 1;
  }

  /** Lets them be sent again. @returns whether it was stopped. */
  async resume(): Promise<boolean> {
    const { rowCount } = await this.#db.query(`DELETE FROM ${this.#stop}`);
    return rowCount === 1;
  }

  /** Begins anew with those that were given up. @returns how many. */
  async retryFailed(): Promise<number> {
    const { rowCount } = await this.#db.query(
      `UPDATE ${this.#webhook}
       SET state = 'pending', attempts = 0, next_at = DEFAULT, expires_at = DEFAULT, ended_at = NULL
       WHERE state = 'failed'`,
    );
    return rowCount ?? 0;
  }

  /** Gives up a batch of those whose time is over: they were stopped, or nobody has answered. @returns how many. */
  async expire(): Promise<number> {
    const { rowCount } = await this.#db.query({
      name: "webhook_expire",
      text: `UPDATE ${this.#webhook} SET state = 'failed', ended_at = now(), last_result = coalesce(last_result, 'EXPIRED')
             WHERE id = ANY (ARRAY(
               SELECT id FROM ${this.#webhook} WHERE state = 'pending' AND next_at <= now() AND expires_at <= now()
               ORDER BY next_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`,
    });
    return rowCount ?? 0;
  }

  /** Deletes a batch of those that are kept no longer. @param keepS those that were delivered. @returns whether there may be more. */
  async purge(keepS: number): Promise<boolean> {
    const old = (state: "delivered" | "failed", kept: string) =>
      `ARRAY(SELECT id FROM ${this.#webhook} WHERE state = '${state}' AND ended_at <= now() - ${kept}
             ORDER BY ended_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`;
    const { rowCount } = await this.#db.query({
      name: "webhook_purge",
      text: `DELETE FROM ${this.#webhook} WHERE id = ANY
               (${old("delivered", "make_interval(secs => $1::float8)")} || ${old("failed", FAILED_KEPT)})`,
      values: [keepS],
    });
    return (rowCount ?? 0) >= BATCH;
  }
}

/** How it stands with the webhooks of a schema. */
export interface WebhookState {
  readonly pending: number;
  /** Since the oldest of them was entered. */
  readonly oldestAgeS: number;
  readonly givenUp: number;
  readonly stopped: boolean;
}

/** As `ops.webhook_state` tells it. */
export async function webhookState(db: Queryable, schema: string): Promise<WebhookState> {
  const { rows } = await db.query<WebhookState>(
    `SELECT pending::integer, oldest_age_seconds AS "oldestAgeS", given_up::integer AS "givenUp", stopped = 1 AS stopped
     FROM ops.webhook_state() WHERE schema = $1`,
    [schema],
  );
  return one(rows);
}
